// Posts to the logout of an app that has its own session.

// Fields that frameworks put into forms against forged requests.
const TOKEN_FIELDS = ["csrfmiddlewaretoken", "authenticity_token", "_token", "csrf_token", "_csrf", "__RequestVerificationToken"];

// The tokens that this page has, by field.
function findTokens() {
  const tokens = new Map();
  for (const name of TOKEN_FIELDS) {
    const value = document.querySelector(`input[name="${name}"]`)?.value;
    if (value) tokens.set(name, value);
  }
  // Rails and Laravel.
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token) tokens.set(document.querySelector('meta[name="csrf-param"]')?.content ?? "_token", token);
  // Django, on a page without a form.
  const cookie = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1];
  if (cookie && !tokens.has("csrfmiddlewaretoken")) tokens.set("csrfmiddlewaretoken", cookie);
  return tokens;
}

// Opens the answer of the app's logout in the place of this page.
export function postTo(path) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = path;
  form.hidden = true;
  for (const [name, value] of findTokens()) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    field.value = value;
    form.append(field);
  }
  document.body.append(form);
  // A field of the name `submit` would hide the method.
  HTMLFormElement.prototype.submit.call(form);
}
