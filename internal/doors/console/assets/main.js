// The console's pages work without this. It fetches parts instead of whole pages,
// keeps numbers fresh while somebody looks, adds keys and copying.
import './swap.js';
import './live.js';
import './keys.js';
import './copy.js';
import './zone.js';

document.documentElement.classList.add('js');
