import { Link, Outlet } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';

import { connection } from '../api/connection.ts';
import { useSettled } from '../api/use-settled.ts';
import { announce, Announcements } from '../parts/announce.tsx';
import { useStore } from '../parts/store.ts';
import { exactTime } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { stopActing } from '../session/acting.ts';
import { leave } from '../session/session.ts';
import { useViewer } from '../session/viewer.tsx';
import { Brand } from './brand.tsx';
import { Menu } from './menu.tsx';
import { Overdue } from './overdue.tsx';
import { morePages, pages } from './pages.ts';
import { ThemeChoice } from './theme.tsx';
import { TimesChoice } from './times.tsx';

const Palette = lazy(() => import('./palette.tsx'));

/** What is around every page. */
export function Frame() {
  const { me, may } = useViewer();
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setPaletteOpen(true);
    };
    addEventListener('keydown', open);
    return () => removeEventListener('keydown', open);
  }, []);
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="bar">
        <Brand />
        <nav aria-label="Pages">
          {pages
            .filter(({ permission }) => may(permission))
            .map(({ to, text }) => (
              <Link key={to} to={to} activeOptions={{ exact: to === '/', includeSearch: false }}>
                {text}
              </Link>
            ))}
          <More />
        </nav>
        <button type="button" className="find" aria-haspopup="dialog" onClick={() => setPaletteOpen(true)}>
          Find <kbd>Ctrl K</kbd>
        </button>
        <Account />
      </header>
      {me.acting && (
        <section className="acting" aria-label="Acting for a client">
          You act in <strong>{me.tenant.name}</strong> on behalf of {me.acting.homeTenantName}, as{' '}
          {words(me.role).toLowerCase()}, until {exactTime(me.acting.endsAt)}. The client sees all that you do
          in its audit trail.{' '}
          <button type="button" onClick={stopActing}>
            Stop acting
          </button>
        </section>
      )}
      {may('billing.subscription.read') && <Overdue />}
      <Connection />
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
      <Announcements />
      {isPaletteOpen && (
        <Suspense>
          <Palette onClose={() => setPaletteOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

function More() {
  const { may } = useViewer();
  const shown = morePages.filter(({ permission }) => may(permission));
  if (shown.length === 0) return null;
  return (
    <Menu text="More" className="more">
      {shown.map(({ to, text }) => (
        <Link key={to} to={to} activeOptions={{ exact: true, includeSearch: false }}>
          {text}
        </Link>
      ))}
    </Menu>
  );
}

function Account() {
  const { me } = useViewer();
  return (
    <Menu text={me.name} className="account">
      <p>
        {me.email}
        <br />
        {words(me.role)} of {me.tenant.name}
        <br />
        Plan {words(me.tenant.plan)}
      </p>
      <ThemeChoice />
      <TimesChoice />
      {!me.acting && <Link to="/profile">Your account</Link>}
      <a href="/graphiql">GraphiQL: the API, to try</a>
      <button type="button" onClick={() => leave(announce)}>
        Sign out
      </button>
    </Menu>
  );
}

const told = {
  offline: 'You are offline. What you see may be out of date; it goes on by itself when you are back.',
  reconnecting: 'The connection to the panel is lost. Reconnecting…',
};

/** With each new token the connection is made anew, within a moment of which nobody has to hear. */
const momentMs = 2_000;

function Connection() {
  const state = useStore(connection);
  const lasting = useSettled(state, momentMs);
  const isTold = state === 'offline' || (state === 'reconnecting' && lasting === state);
  const text = isTold ? told[state] : '';
  return (
    <div
      role="status"
      className={text ? 'connection' : undefined}
      data-connection={state}
      data-react-aria-top-layer
    >
      {text}
    </div>
  );
}
