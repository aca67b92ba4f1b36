import { RouterProvider } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { Provider } from 'urql';

import { createApiClient } from '../api/client.ts';
import { Splash } from '../parts/splash.tsx';
import { useStore } from '../parts/store.ts';
import { sessionState } from '../session/session.ts';
import { ViewerProvider } from '../session/viewer.tsx';
import { router } from './router.tsx';

const SignInPage = lazy(() => import('../session/sign-in.page.tsx'));

/** Signing in takes the place of whatever page was asked for, which comes after it: addresses can be shared. */
export function App() {
  const state = useStore(sessionState);
  switch (state) {
    case 'starting':
      return <Splash text="Looking for your session" />;
    case 'unreachable':
      return <Splash text="The panel can not be reached. Trying again" isProblem />;
    case 'limited':
      return <Splash text="Too many requests came from your network. Trying again in a while" isProblem />;
    case 'signed-out':
      return (
        <Suspense fallback={<Splash text="Opening the sign-in" />}>
          <SignInPage />
        </Suspense>
      );
    case 'signed-in':
      return <SignedIn />;
  }
}

function SignedIn() {
  const client = useMemo(createApiClient, []);
  return (
    <Provider value={client}>
      <ViewerProvider>
        <RouterProvider router={router} />
      </ViewerProvider>
    </Provider>
  );
}
