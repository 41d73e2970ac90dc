// How the tabs of one browser share one stream: the leader passes on what it hears and says how things stand when it is
// asked; a follower asks now and then, and a leader who does not answer twice has gone, or sleeps.

// Answers are heard by all: one question in this time is enough, whoever asks it.
const ASK_LEADER_MS = 2_000;
// A tab that has just been opened does not know yet whether there is a leader who lives.
const FIRST_ASK_MS = 700;
// Not all followers at once.
const TAKE_OVER_AFTER_MS = [50, 300];
const turn = ([least, most] = TAKE_OVER_AFTER_MS) => sleep(least + Math.random() * (most - least));

class Follower {
  #line;
  #channel = new Channel(CHANNEL, (message, age) => this.#hear(message, age));
  #round = 0;
  #answers = 0;
  #answeredAt = -Infinity;
  #known = null;

  follows = false;

  // `line`: what is done with what is heard; see `Line`.
  constructor(line) {
    this.#line = line;
  }

  open() {
    if (shared) this.#channel.open();
  }

  close() {
    this.stop();
    this.#channel.close();
  }

  stop() {
    this.#round += 1;
    this.follows = false;
    this.#known = null;
  }

  send(message) {
    this.#channel.send(message);
  }

  async follow() {
    this.stop();
    const round = this.#round;
    this.follows = true;
    const gone = (answers) => round === this.#round && answers === this.#answers;
    for (let missed = 0; round === this.#round; ) {
      const [answers, fresh] = [this.#answers, performance.now() - this.#answeredAt < ASK_LEADER_MS / 2];
      if (!fresh || !this.#known) this.send({ type: "who" });
      await sleep(this.#known ? ASK_LEADER_MS : FIRST_ASK_MS);
      if (!gone(answers) || (fresh && this.#known)) missed = 0;
      else if ((missed += 1) === 1) this.#line.ask();
      else {
        await turn();
        if (gone(answers)) return this.#line.leaderIsGone(true);
        missed = 0;
      }
    }
  }

  #hear(message, age) {
    const { type, name, data } = message;
    if (this.#line.leads()) {
      if (type === "who") this.send({ type: "state", ...this.#line.tell() });
      else if (type === "looked") this.#line.wanted();
      else if (name === "session-ended") this.#line.heard(name, data);
      return;
    }
    if (type === "event") {
      this.#answered();
      if (name === "connected") this.#known = data;
      this.#line.heard(name, later(data, age));
    } else if (type === "state" && this.follows) {
      this.#answered();
      this.#standing(message.state, later(message.connected, age));
    } else if (type === "bye" && this.follows) {
      this.#takeOver();
    }
  }

  #answered() {
    this.#answers += 1;
    this.#answeredAt = performance.now();
  }

  #standing(state, connected) {
    this.#line.state(state);
    const known = this.#known;
    this.#known = connected ?? {};
    if (!connected) {
      if (!known) this.#line.ask();
    } else if (known?.session_id !== connected.session_id || known.pod !== connected.pod) {
      this.#line.heard("connected", connected);
    } else if (state === "live") {
      const { drain } = connected;
      this.#line.heard("heartbeat", drain ? { remaining_ms: drain.remaining_ms } : {});
    }
  }

  async #takeOver() {
    const round = this.#round;
    await turn();
    if (round === this.#round) this.#line.leaderIsGone(false);
  }
}
