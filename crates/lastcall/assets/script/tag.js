// The tag that brings this script. Modules have no `currentScript`: they are found by their address.

const tag = document.currentScript ?? document.querySelector('script[src*="/assets/lastcall.js"]');
