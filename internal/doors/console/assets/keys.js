// Single letters act on the page, unless somebody is typing or composing, and
// unless they are switched off in the display menu.
import { pause, refreshAll } from './live.js';
import { copy } from './copy.js';

const on = document.documentElement.dataset.keys !== 'off';
const places = {};
for (const link of document.querySelectorAll('nav a[data-key]')) places[link.dataset.key] = link.href;

let going = 0; // when "g" was pressed

function typing(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function rows() { return [...document.querySelectorAll('a.row')].filter((row) => row.offsetParent); }

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
  next.focus({ preventScroll: true });
  next.closest('tr, li')?.scrollIntoView({ block: 'nearest' });
}

function copyHere() {
  const row = document.activeElement.closest?.('tr, li');
  const button = row?.querySelector('[data-copy]');
  const text = button?.dataset.copy ?? document.activeElement.dataset?.id ?? document.querySelector('h1')?.dataset.id;
  if (text) copy(text, button);
}

function openFilter() {
  const box = document.getElementById('filter');
  if (!box) return;
  if (box.tagName === 'DETAILS') box.open = true;
  box.querySelector('input:not([type=hidden]), select')?.focus();
}

function closeMenu() {
  const menu = document.querySelector('details.menu[open]');
  if (!menu) return;
  menu.open = false;
  menu.querySelector('summary').focus();
}

function follow(selector) {
  const link = document.querySelector(selector);
  if (link) link.click();
}

const actions = {
  '/': () => document.getElementById('find')?.focus(),
  j: () => move(1),
  k: () => move(-1),
  c: copyHere,
  f: openFilter,
  n: () => follow('[data-newer]'),
  p: pause,
  r: refreshAll,
  t: () => follow('[data-toggle-body]'),
  '?': () => location.assign('/help#keys'),
};

document.addEventListener('keydown', (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === 'Escape' && typing(event.target)) { event.target.blur(); return; }
  if (event.key === 'Escape') { closeMenu(); return; }
  if (!on || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (Date.now() - going < 1500 && places[event.key]) {
    going = 0;
    event.preventDefault();
    location.assign(places[event.key]);
    return;
  }
  going = event.key === 'g' ? Date.now() : 0;
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

// Enter that ends a composition must not search yet.
document.getElementById('find')?.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.isComposing || event.keyCode === 229)) event.preventDefault();
});
