// What is sent after the end would be refused, and the answer would take the form away: it is held back, and says so.

const button = document.querySelector("form button");
const hint = document.getElementById("held");
for (const end of ["lastcall:left", "lastcall:session-ended"]) {
  addEventListener(end, () => {
    button.disabled = true;
    hint.hidden = false;
  });
}
