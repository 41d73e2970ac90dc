// The work that is in progress on this page. The library names it in the banner while a server that shuts down waits for it.

const tag = document.querySelector("script[data-session]");
const running = new Map();

// Notes that work with this name has begun. Returns a function to call when it has ended.
export function begin(name) {
  const key = Symbol(name);
  running.set(key, name);
  update();
  return () => {
    running.delete(key);
    update();
  };
}

function update() {
  if (!tag) return;
  if (running.size) tag.dataset.work = [...new Set(running.values())].join(", ");
  else delete tag.dataset.work;
}
