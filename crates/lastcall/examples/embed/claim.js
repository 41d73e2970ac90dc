// After the end of the session the server refuses the form, and its answer would replace the page. So the button is disabled, and a hint
// says why.

const button = document.querySelector("form button");
const hint = document.getElementById("held");
for (const end of ["lastcall:left", "lastcall:session-ended"]) {
  addEventListener(end, () => {
    button.disabled = true;
    hint.hidden = false;
  });
}
