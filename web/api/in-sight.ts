/**
 * Does the work after a while, and of a page that nobody looks at once somebody does: tabs that were left open draw on
 * what the whole tenant may ask. The answer calls it off.
 */
export function afterInSight(waitMs: number, work: () => void): () => void {
  const whenSeen = () => {
    if (document.hidden) return;
    document.removeEventListener('visibilitychange', whenSeen);
    work();
  };
  const timer = setTimeout(() => {
    document.addEventListener('visibilitychange', whenSeen);
    whenSeen();
  }, waitMs);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', whenSeen);
  };
}
