import { Link, type ErrorComponentProps } from '@tanstack/react-router';

import { Page } from '../parts/page.tsx';

export function NoSuchPage() {
  return (
    <Page title="There is no such page">
      <p>Perhaps the address was not copied whole, or what it showed was removed.</p>
      <p>
        <Link to="/">To the overview</Link>
      </p>
    </Page>
  );
}

/** A page that could not be shown, most likely since the panel was updated while it was open. */
export function BrokenPage({ error }: ErrorComponentProps) {
  return (
    <Page title="This page could not be shown">
      <p role="alert">{error instanceof Error ? error.message : String(error)}</p>
      <p>Load it again. If that does not help, tell whoever runs this panel.</p>
      <button type="button" className="main" onClick={() => location.reload()}>
        Load again
      </button>
    </Page>
  );
}
