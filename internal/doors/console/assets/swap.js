// A link or form with data-into="list" gets only the part "list" of its answer,
// which takes the place of the element with id part-list. Everything that goes
// wrong ends in the plain navigation that works anyway.

// The one Trusted Types policy: for answers of this console's own addresses.
const policy = window.trustedTypes
  ? trustedTypes.createPolicy('segue', { createHTML: (text) => text })
  : { createHTML: (text) => text };

const running = new Map(); // part -> AbortController of its newest request

export function say(text) {
  const status = document.getElementById('said');
  if (status && text) status.textContent = text;
}

// load fetches one part of an address and puts it in place. It returns the new
// element, or null when the whole page has to be loaded instead.
export async function load(url, part, { method = 'GET', body, headers = {}, push = false, quiet = false } = {}) {
  const old = document.getElementById('part-' + part);
  if (!old) return null;
  running.get(part)?.abort();
  const abort = new AbortController();
  running.set(part, abort);
  const slow = quiet ? 0 : setTimeout(() => say(document.body.dataset.loading), 1000);
  if (!quiet) old.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(url, { method, body, headers: { 'X-Part': part, ...headers }, signal: abort.signal, credentials: 'same-origin' });
    const to = new URL(answer.url);
    if (to.origin !== location.origin || to.pathname === '/sign-in') return null;
    const page = new DOMParser().parseFromString(policy.createHTML(await answer.text()), 'text/html');
    const fresh = page.getElementById('part-' + part);
    if (!answer.ok || !fresh) return null;
    put(old, fresh);
    if (push) {
      history.replaceState({ part }, '');
      history.pushState({ part }, '', to.pathname + to.search);
      const title = answer.headers.get('X-Title');
      if (title) document.title = decodeURIComponent(title);
    }
    say(fresh.dataset.say);
    return fresh;
  } catch (problem) {
    if (problem.name === 'AbortError') return undefined;
    return null;
  } finally {
    clearTimeout(slow);
    if (running.get(part) === abort) running.delete(part);
    document.getElementById('part-' + part)?.removeAttribute('aria-busy');
  }
}

// put replaces a part, keeping what the reader had opened and where the focus was.
function put(old, fresh) {
  const focused = document.activeElement?.id;
  const inside = old.contains(document.activeElement);
  for (const box of old.querySelectorAll('details[id]')) {
    const same = fresh.querySelector('#' + CSS.escape(box.id));
    if (same) same.open = box.open;
  }
  old.replaceWith(document.adoptNode(fresh));
  if (inside && focused) document.getElementById(focused)?.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent('part', { detail: fresh }));
}

document.addEventListener('click', async (event) => {
  const link = event.target.closest?.('a[data-into]');
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const fresh = await load(link.href, link.dataset.into, { push: true });
  if (fresh === null) location.assign(link.href);
});

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (!form.dataset?.into || event.defaultPrevented) return;
  event.preventDefault();
  const data = new URLSearchParams(new FormData(form));
  const post = form.method === 'post';
  const url = post ? form.action : form.action.split('?')[0] + '?' + data;
  const fresh = await load(url, form.dataset.into, { push: true, method: post ? 'POST' : 'GET', body: post ? data : undefined });
  if (fresh === null) form.submit();
});

window.addEventListener('popstate', async (event) => {
  const part = event.state?.part;
  if (!part || (await load(location.href, part)) === null) location.reload();
});
