import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';

import { useRead } from '../api/use-read.ts';
import { ViewerDocument, type ViewerQuery } from '../generated/graphql.ts';
import { Problem } from '../parts/problem.tsx';
import { Splash } from '../parts/splash.tsx';
import { useStore } from '../parts/store.ts';
import { leave, tokenInUse } from './session.ts';

interface Viewer {
  me: ViewerQuery['me'];
  /** Whose look the console has; the panel's own without. */
  branding: ViewerQuery['shownBranding'];
  /** Whether the panel would grant this permission; for showing no more than what works. */
  may: (permission: string) => boolean;
  /** For whoever has changed what is shown of them everywhere. */
  reread: () => void;
}

const ViewerContext = createContext<Viewer | undefined>(undefined);

export function useViewer(): Viewer {
  const viewer = useContext(ViewerContext);
  if (!viewer) throw new Error('There is no ViewerProvider above');
  return viewer;
}

/** Finds out who is signed in and what they may do, before anything is shown. */
export function ViewerProvider({ children }: { children: ReactNode }) {
  const { data, told, read } = useRead(ViewerDocument);
  const token = useStore(tokenInUse);
  const tokenBefore = useRef(token);
  const [stayed, setStayed] = useState('');
  useEffect(() => {
    if (tokenBefore.current !== '' && tokenBefore.current !== token) read();
    tokenBefore.current = token;
  }, [token, read]);
  const viewer = useMemo(() => {
    if (!data) return undefined;
    const held = new Set(data.permissions);
    const { me, shownBranding: branding } = data;
    return { me, branding, may: (permission: string) => held.has(permission), reread: read };
  }, [data, read]);
  if (viewer) return <ViewerContext value={viewer}>{children}</ViewerContext>;
  if (!told) return <Splash text="Opening the console" />;
  return (
    <main className="splash">
      <Problem told={told} retry={read} />
      <button type="button" onClick={() => leave(setStayed)}>
        Sign out
      </button>
      <p role="alert">{stayed}</p>
    </main>
  );
}
