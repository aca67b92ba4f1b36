import { Store, useStore } from './store.ts';

const nothing = { id: 0, text: '' };
const said = new Store(nothing);
let last = 0;

/** Says what has been done, for a few seconds, also to those who don't look. What is said twice is heard twice. */
export function announce(text: string): void {
  const mine = { id: (last += 1), text };
  said.set(mine);
  setTimeout(() => said.get() === mine && said.set(nothing), 6_000);
}

export function Announcements() {
  const { id, text } = useStore(said);
  return (
    // Above dialogs: what is behind one is hidden from whoever listens.
    <div role="status" className={text ? 'toast' : undefined} data-react-aria-top-layer>
      <span key={id}>{text}</span>
    </div>
  );
}
