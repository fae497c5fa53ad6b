// Buttons with data-copy copy their text, those with data-copy-from the text of
// an element. Over plain http browsers offer no clipboard: then the text is shown
// selected, ready for the reader's own copy.
import { say } from './swap.js';

export async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    select(text);
    return;
  }
  say(document.body.dataset.copied);
  if (!button) return;
  button.classList.add('copied');
  setTimeout(() => button.classList.remove('copied'), 1200);
}

function select(text) {
  const box = document.getElementById('copybox');
  const field = box.querySelector('textarea');
  field.value = text;
  box.showModal();
  field.select();
}

document.addEventListener('click', (event) => {
  const button = event.target.closest?.('[data-copy], [data-copy-from]');
  if (!button) return;
  event.preventDefault();
  const from = button.dataset.copyFrom;
  copy(from ? document.getElementById(from).textContent : button.dataset.copy, button);
});

// A menu closes when one clicks elsewhere.
document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
