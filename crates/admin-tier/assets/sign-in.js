// Counts down until another sign-in link can be printed, and then says so. Without scripts the page reloads itself instead.

const wait = document.getElementById("wait");
const end = performance.now() + Number(wait.dataset.seconds) * 1000;

const timer = setInterval(() => {
  const seconds = Math.ceil((end - performance.now()) / 1000);
  if (seconds > 0) {
    wait.querySelector("strong").textContent = seconds;
    return;
  }
  clearInterval(timer);
  wait.remove();
  document.getElementById("may").textContent = "Another link can be printed now.";
  document.getElementById("print").classList.remove("quiet");
}, 250);
