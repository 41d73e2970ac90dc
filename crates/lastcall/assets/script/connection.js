// The connection to the server: one event stream for all tabs of a browser. The tab that has the seat leads: it holds the stream
// and passes on what it hears; the others follow it, and take over within seconds when it goes or falls silent. Where every
// tab is a session of its own, four of them have a stream and the others ask every few seconds.

const BACKOFF_MS = { first: 1_000, most: 30_000 };
const ASK_EVERY_MS = { calm: 5_000, countdown: 2_000 };
// So many questions between two tries to have a stream after all.
const ASK_BEFORE_STREAM = 6;

const perTab = base !== "/";
const shared = !perTab && !alone;
const SEATS = perTab ? ["stream.0", "stream.1", "stream.2", "stream.3"] : ["leader"];

const jitter = (ms) => ms * (0.5 + Math.random() / 2);

class Connection {
  #heard;
  #showState;
  #countsDown;
  #state = "opening";
  #seat = null;
  #stream = null;
  #tries = 0;
  // Counts beginnings and ends: what belongs to an older one has nothing to say any more.
  #round = 0;
  #opening = -1;
  // Ends the waiting for the seat that another tab has.
  #waiting = null;
  // Another browser took this session's stream. It is taken back when the page is looked at, and not before.
  #evicted = false;
  // The server's time as it was heard last: what a cache answers is older.
  #serverTime = null;
  // Counts what was heard: an answer to a question that was asked before is older.
  #news = 0;
  // The session has ended: there is nothing more to hear, and the first reason that was given is the true one.
  #over = false;
  // Whether there was a session ever: a public page that was never signed in has none to lose.
  #known;
  #none = false;
  #memory = new Memory();
  #follower = new Follower({
    heard: (name, data) => this.#pass(name, data),
    state: (state) => this.#stand(state),
    ask: () => this.ask(),
    leaderIsGone: (silent) => this.open(silent),
    leads: () => this.#leads,
    tell: () => ({ state: this.#state, connected: this.#memory.connected }),
    wanted: () => this.#evicted && this.open(),
  });

  // `heard(name, data)` gets every event; `showState(name)` how the connection stands; `countsDown()` whether it is urgent.
  // `known`: the server has drawn this page for a session.
  constructor(heard, showState, countsDown, known) {
    this.#known = known;
    this.#heard = heard;
    this.#showState = showState;
    this.#countsDown = countsDown;
    // A page in the back/forward cache, or frozen, must not hold a stream, and must look again when it comes back.
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.#back());
    document.addEventListener("freeze", () => this.close());
    document.addEventListener("resume", () => this.#back());
    addEventListener("offline", () => this.#offline());
    addEventListener("online", () => (this.#follower.follows || this.#none ? this.ask() : this.open()));
    document.addEventListener("visibilitychange", () => document.hidden || this.#looked());
  }

  // Takes the seat if there is one, or has it already; else follows, or asks.
  async open(steal = false) {
    if (this.#over || this.#opening === this.#round) return;
    seats.open();
    farewell.open();
    this.#follower.open();
    if (this.#seat) return this.#listen();
    const round = this.#begin();
    this.#opening = round;
    const seat = await this.#takeSeat(steal);
    if (round !== this.#round) return seat?.();
    this.#opening = -1;
    if (seat) this.#sit(seat);
    else this.#stayBehind(seat === null);
  }

  close() {
    this.#begin();
    const [led, seat] = [this.#leads, this.#seat];
    this.#seat = null;
    seat?.();
    if (led) this.#follower.send({ type: "bye" });
    seats.close();
    farewell.close();
    this.#follower.close();
  }

  // Asks the server for the truth. Gives who answered: `server`, `cache`, or `nobody`.
  async ask() {
    if (this.#over) return "server";
    const [round, news, newest] = [this.#round, this.#news, this.#serverTime];
    const session = await askForSession((answer) => isOlder(answer, newest));
    if (session === undefined) return "nobody";
    if (session === FROM_CACHE) return "cache";
    if (round !== this.#round || this.#over) return "server";
    // It has proved that it is of now: where it is older, the clock was put back, or is another pod's.
    this.#serverTime = session?.server_time ?? newest;
    if (session === null) this.#gone();
    else {
      if (news !== this.#news) delete session.drain;
      this.#tell("session", session);
      if (this.#none) this.#resume();
    }
    return "server";
  }

  // This tab has signed out: the others hear it from here, whoever leads.
  left(automatic) {
    if (this.#over) return;
    this.#over = true;
    this.#follower.send({ type: "event", name: "session-ended", data: { reason: "logout", automatic } });
    this.close();
    this.#stand("over");
  }

  // Whether the session has ended.
  get isOver() {
    return this.#over;
  }

  get #leads() {
    return shared && this.#seat !== null;
  }

  // Whatever went on before ends here.
  #begin() {
    this.#follower.stop();
    this.#stream?.close();
    this.#stream = null;
    this.#waiting?.abort();
    this.#waiting = null;
    return (this.#round += 1);
  }

  #sit(seat) {
    this.#seat = seat;
    this.#listen();
  }

  // Without a seat: behind the tab that has it, where there is one.
  #stayBehind(taken) {
    if (!shared || !taken) return this.#poll(ASK_BEFORE_STREAM);
    this.#follower.follow();
    this.#wait();
  }

  // A leader that crashes says nothing, and the timers of hidden tabs come once a minute.
  async #wait() {
    const round = this.#round;
    this.#waiting = new AbortController();
    const seat = await seats.wait(SEATS[0], () => this.#lost(), this.#waiting.signal);
    if (!seat) return;
    if (round === this.#round) this.#sit(seat);
    else seat();
  }

  async #takeSeat(steal) {
    let seat;
    for (const name of SEATS) {
      seat = await seats.take(name, () => this.#lost(), steal);
      if (seat) break;
    }
    return seat;
  }

  #lost() {
    const seat = this.#seat;
    this.#seat = null;
    if (!seat) return;
    seat();
    this.#begin();
    // Who has taken it has had a reason: it is not taken back.
    this.#stayBehind(true);
  }

  #listen() {
    const round = this.#begin();
    this.#evicted = false;
    this.#stand(this.#tries ? "lost" : "opening");
    this.#stream = new Stream(
      (name, data) => round === this.#round && this.#receive(name, data),
      () => round === this.#round && this.#poll(ASK_BEFORE_STREAM),
      () => round === this.#round && this.#reopen(),
    );
  }

  #receive(name, data) {
    this.#tries = 0;
    if (name === "session-ended") return this.#end(data);
    if (name === "stream-ended") {
      this.#evicted = true;
      this.#poll(Infinity);
      return;
    }
    this.#stand("live");
    this.#news += 1;
    this.#tell(name, data);
  }

  // Something that the leader has heard, or that a tab that leaves says.
  #pass(name, data) {
    if (this.#over) return;
    this.#news += 1;
    if (name === "session-ended") this.#end(data);
    else this.#hear(name, data);
  }

  #tell(name, data) {
    if (this.#leads) this.#follower.send({ type: "event", name, data });
    this.#hear(name, data);
  }

  #hear(name, data) {
    if (name === "connected" || name === "session") this.#known = true;
    this.#memory.keep(name, data);
    if (!isOlder(data, this.#serverTime)) this.#serverTime = data.server_time ?? this.#serverTime;
    this.#heard(name, data);
  }

  #gone() {
    if (this.#known) return this.#end({ reason: "gone" });
    this.#none = true;
    this.close();
    this.#stand("none");
  }

  // Somebody has signed in, without loading this page again.
  #resume() {
    this.#none = false;
    this.open();
  }

  #end(data) {
    this.#over = true;
    if (this.#leads) this.#follower.send({ type: "event", name: "session-ended", data });
    this.close();
    this.#stand("over");
    this.#heard("session-ended", data);
  }

  async #reopen() {
    const round = this.#begin();
    this.#stand("lost");
    const pause = Math.min(BACKOFF_MS.first * 2 ** this.#tries, BACKOFF_MS.most);
    this.#tries += 1;
    await sleep(jitter(pause));
    if (round !== this.#round) return;
    // The status of a stream that was refused cannot be seen; that of a question can.
    const answered = await this.ask();
    if (round !== this.#round) return;
    if (answered === "nobody") this.#reopen();
    else this.open();
  }

  async #poll(questions) {
    const round = this.#begin();
    for (let asked = 0; asked < questions; asked += 1) {
      const answered = await this.ask();
      if (round !== this.#round) return;
      this.#stand(answered === "nobody" ? "lost" : this.#evicted ? "elsewhere" : "asking");
      await sleep(jitter(this.#countsDown() ? ASK_EVERY_MS.countdown : ASK_EVERY_MS.calm));
      if (round !== this.#round) return;
    }
    this.open();
  }

  // The browser knows it before any silence tells. Where it is wrong, the next event says so.
  #offline() {
    if (["opening", "live", "asking"].includes(this.#state)) this.#stand("lost");
  }

  #back() {
    if (this.#none) this.ask();
    else this.open();
  }

  #looked() {
    this.#follower.send({ type: "looked" });
    if (this.#none) this.ask();
    else if (this.#evicted || (alone && !this.#seat)) this.open();
    else this.ask();
  }

  #stand(state) {
    if (state === this.#state) return;
    this.#state = state;
    if (this.#leads) this.#follower.send({ type: "state", state, connected: this.#memory.connected });
    this.#showState(state);
  }
}
