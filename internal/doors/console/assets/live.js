// A part with data-every="10" is fetched again every ten seconds, while the page
// is seen and not paused. Lists only count what is newer: rows never move while
// one reads.
import { load, say } from './swap.js';

let paused = false;

async function refresh(part) {
  const headers = part.dataset.since ? { 'X-Since': part.dataset.since } : {};
  const fresh = await load(location.href, part.id.slice('part-'.length), { headers, quiet: true });
  const stale = fresh === null; // old numbers must not pass for new ones
  if (stale) say(document.body.dataset.stale);
  else if (document.body.classList.contains('stale')) say(' ');
  document.body.classList.toggle('stale', stale);
}

// busy says that somebody is in the middle of the part: it must not move now.
function busy(part) {
  const selection = window.getSelection();
  return part.contains(document.activeElement) || (!selection.isCollapsed && part.contains(selection.anchorNode));
}

const due = new Map(); // id -> time of the next fetch

function tick() {
  if (document.hidden || paused) return;
  for (const part of document.querySelectorAll('[data-every]')) {
    const wait = Number(part.dataset.every) * 1000;
    if (!due.has(part.id)) due.set(part.id, Date.now() + wait);
    if (Date.now() < due.get(part.id) || busy(part)) continue;
    due.set(part.id, Date.now() + wait);
    refresh(part);
  }
}

setInterval(tick, 1000);
document.addEventListener('visibilitychange', () => { due.clear(); tick(); });

export function refreshAll() {
  for (const part of document.querySelectorAll('[data-every]')) refresh(part);
}

export function pause() {
  paused = !paused;
  for (const button of document.querySelectorAll('[data-pause]')) show(button);
}

function show(button) {
  button.hidden = !document.querySelector('[data-every]');
  button.setAttribute('aria-pressed', String(paused));
  button.textContent = paused ? button.dataset.paused : button.dataset.pause;
}

document.addEventListener('click', (event) => {
  if (event.target.closest?.('[data-pause]')) pause();
});
document.addEventListener('part', () => document.querySelectorAll('[data-pause]').forEach(show));
document.querySelectorAll('[data-pause]').forEach(show);
