// Posts to the logout of an app that has its own session.

// Fields that frameworks put into forms against forged requests: Django, Rails, Laravel, Flask, Spring and Express, ASP.NET, Symfony,
// Tornado.
const TOKEN_FIELDS = ["csrfmiddlewaretoken", "authenticity_token", "_token", "csrf_token", "_csrf", "__RequestVerificationToken", "_csrf_token", "_xsrf"];
// Cookies whose value is the token, with the field that carries it: Django and Tornado, on a page without a form.
const TOKEN_COOKIES = { csrftoken: "csrfmiddlewaretoken", _xsrf: "_xsrf" };

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content;

// The tokens that this page has, by field.
function findTokens() {
  const tokens = new Map();
  for (const name of TOKEN_FIELDS) {
    const value = document.querySelector(`input[name="${name}"]`)?.value;
    if (value) tokens.set(name, value);
  }
  // Rails and Laravel.
  if (meta("csrf-token")) tokens.set(meta("csrf-param") ?? "_token", meta("csrf-token"));
  // Spring.
  if (meta("_csrf")) tokens.set(meta("_csrf_parameter") ?? "_csrf", meta("_csrf"));
  for (const [name, field] of Object.entries(TOKEN_COOKIES)) {
    const value = new RegExp(`(?:^|;\\s*)${name}=([^;]+)`).exec(document.cookie)?.[1];
    if (value && !tokens.has(field)) tokens.set(field, value);
  }
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
