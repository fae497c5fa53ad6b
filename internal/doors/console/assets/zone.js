// Times are written by the server. This tells it the browser's zone once, unless
// the reader chose one.
const root = document.documentElement;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && root.dataset.zoneBy !== 'reader' && root.dataset.zone !== zone) {
  document.cookie = 'segue_zone=' + zone + '; path=/; max-age=31536000; samesite=lax';
  const kept = document.cookie.includes('segue_zone=' + zone);
  if (kept && document.querySelector('time') && !sessionStorage.getItem('zone')) {
    sessionStorage.setItem('zone', '1'); // at most once: a server that does not know the zone answers in UTC
    location.reload();
  }
}
