// Counts down to the moment at which another link can be printed, and says so then. Without scripts the page renews itself.

const wait = document.getElementById("wait");
const end = performance.now() + Number(wait.dataset.seconds) * 1000;

const ticking = setInterval(() => {
  const seconds = Math.ceil((end - performance.now()) / 1000);
  if (seconds > 0) {
    wait.querySelector("strong").textContent = seconds;
    return;
  }
  clearInterval(ticking);
  wait.remove();
  document.getElementById("may").textContent = "Another link can be printed now.";
  document.getElementById("print").classList.remove("quiet");
}, 250);
