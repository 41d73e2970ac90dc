// The style sheet of the default banner. A page changes its colours by custom properties, and anything else by `::part()`. Rules of the
// page for all elements, such as resets, reach the element around the banner: what it needs is important, and what the banner would
// inherit is initial. Lengths are in pixels, since pages change what a `rem` is.

export const BANNER_STYLE = `
:host { all: initial; display: block !important; position: sticky !important; inset: 0 auto auto !important; z-index: var(--lastcall-z-index, 2147483000) !important;
  flex: none !important; align-self: stretch !important; direction: ltr; }
:host([data-over]) { position: fixed !important; inset: 0 0 auto !important; inline-size: auto !important; block-size: auto !important; max-inline-size: none !important;
  margin: 0 !important; border: none !important; padding: 0 !important; overflow: visible !important; background: none !important; }
:host([data-place^="bottom"]) { inset: auto 0 0 !important; --from: 100%; }
:host([data-folded]) { pointer-events: none !important; }
:host([data-looking]), :host([data-looking]) * { pointer-events: none !important; }
:host([dir="rtl"]) { direction: rtl; }
[hidden] { display: none !important; }
#announcer { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
p { margin: 0; }
#drain-banner, #drain-over, #reprieve { all: initial; display: block; font: var(--lastcall-font, 16px/1.45 system-ui, sans-serif); box-sizing: border-box; padding: 11.2px max(16px, 50% - 544px); color: var(--lastcall-color, #fff);
  background: var(--lastcall-background, #a3231c); box-shadow: 0 2px 10px rgb(0 0 0 / 25%); overflow-wrap: anywhere; }
#drain-banner, #drain-over { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 8px 24px; }
#drain-banner.urgent { background: var(--lastcall-urgent-background, #7e1712); }
#drain-over { background: var(--lastcall-over-background, #33302c); }
#drain-over p { flex: 1 1 288px; }
#reprieve { background: var(--lastcall-reprieve-background, #1d6234); font-weight: 650; }
.text { flex: 1 1 288px; }
#drain-message, #drain-short { font-weight: 650; }
#drain-short { display: none; }
#drain-until { font-size: .9em; }
#drain-problem { font-weight: 650; margin-block-start: 4.8px; }
.clock { display: flex; align-items: baseline; gap: 5.6px; font-variant-numeric: tabular-nums; }
#countdown { font-size: 2em; font-weight: 700; line-height: 1; min-inline-size: 3ch; text-align: end; }
.buttons { display: flex; flex-wrap: wrap; gap: 8px; }
button { font: inherit; font-weight: 600; color: var(--lastcall-button-color, #7e1712); background: var(--lastcall-button-background, #fff);
  border: 1px solid var(--lastcall-button-background, #fff); border-radius: var(--lastcall-radius, 8px); padding: 7.2px 14.4px; cursor: pointer; }
#drain-hide { color: #33302c; }
#stay-here { color: inherit; background: none; border-color: transparent; padding-inline: 0; text-decoration: underline; text-underline-offset: .2em; text-align: start; }
button[aria-disabled="true"] { opacity: .7; cursor: default; }
.places { display: flex; gap: 4px; }
.places button { position: relative; inline-size: 28px; block-size: 28px; padding: 0; color: inherit; background: none; border-color: transparent; }
.places button:hover { border-color: currentcolor; }
.places button::before { content: ""; position: absolute; inset: 8px 7px; box-sizing: border-box; border: 0 solid currentcolor; }
#drain-fold::before { border-block-end-width: 2px; }
:host([data-folded]) #drain-fold::before { border-width: 2px; }
#drain-move::before { inset: 6px 8.5px 10px; border-width: 0 2px 2px 0; rotate: 45deg; }
:host([data-place^="bottom"]) #drain-move::before { inset: 10px 8.5px 6px; border-width: 2px 0 0 2px; }
:focus-visible { outline: 3px solid var(--lastcall-color, #fff); outline-offset: 2px; }
#drain-banner[data-quiet] { padding-block: 4.8px; background: var(--lastcall-quiet-background, #33302c); font-size: .875em; box-shadow: none; justify-content: end; }
[data-quiet] .text:not(:has(#drain-problem:not([hidden]))) { display: none; }
[data-quiet] #countdown { font-size: 1.15em; }
[data-quiet] button { padding-block: 3.2px; }
:host([data-folded]) #drain-banner { inline-size: fit-content; max-inline-size: 100%; margin-inline: auto; padding: 4px 12px; gap: 4px 12px; pointer-events: auto; border-radius: 0 0 12px 12px; }
:host([data-folded][data-place^="bottom"]) #drain-banner { border-radius: 12px 12px 0 0; }
:host([data-folded]) :is(.text:not(:has(#drain-problem:not([hidden]))), #stay-here, #drain-left) { display: none; }
:host([data-folded]) #countdown { font-size: 1.15em; }
:host([data-folded]) button { padding-block: 3.2px; }
@media (prefers-reduced-motion: no-preference) {
  #drain-banner, #drain-over, #reprieve { animation: arrive .3s ease-out; }
  @keyframes arrive { from { translate: 0 var(--from, -100%); } }
}
@media (max-width: 32rem) {
  #drain-banner, #drain-over { gap: 5.6px 16px; padding: 8px 16px; font-size: .9375em; }
  .text { flex-basis: calc(100% - 84px); }
  .buttons { display: contents; }
  .clock, #leave-now, #stay-here { order: 2; }
  .places { order: 1; align-self: start; }
  [data-quiet] .places, :host([data-folded]) .places { order: 3; }
  [data-quiet] #drain-left { display: none; }
}
/* Small screens, and large ones at 400 % zoom: the banner takes at most a fifth of the height. */
@media (max-height: 30rem) {
  #drain-banner, #drain-over, #reprieve { padding-block: 4.8px; gap: 4.8px 12px; font-size: .875em; line-height: 1.3; max-block-size: 20vh; overflow-y: auto; }
  #drain-until { display: none; }
  [data-protected] #drain-short { display: block; }
  #countdown { font-size: 1.3em; }
  button { padding-block: 3.2px; }
}
@media (max-height: 30rem) and (max-width: 40rem), (max-height: 20rem) {
  #drain-banner, #drain-over { flex-wrap: nowrap; }
  #drain-banner { gap: 6.4px; padding-inline: 10px; }
  .places button { inline-size: 24px; block-size: 24px; }
  .places button::before { scale: .85; }
  :host(:not([data-folded])) #drain-fold { display: none; }
  #drain-over p { flex: 1 1 auto; max-block-size: calc(20vh - 9.6px); overflow-y: auto; }
  #drain-left { display: none; }
  #drain-message { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  #drain-short { display: block; }
  .text { flex: 1 1 auto; }
  .clock { white-space: nowrap; }
  #stay-here { display: none; }
  #leave-now, #drain-hide { white-space: nowrap; padding-inline: 9.6px; }
}
@media print { :host { display: none !important; } }
`;
