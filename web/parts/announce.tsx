import { Store, useStore } from './store.ts';

const said = new Store('');

/** Says what has been done, for a few seconds, also to those who don't look. */
export function announce(text: string): void {
  said.set(text);
  setTimeout(() => said.get() === text && said.set(''), 6_000);
}

export function Announcements() {
  const text = useStore(said);
  return (
    <div role="status" className={text ? 'toast' : undefined}>
      {text}
    </div>
  );
}
