import { useEffect, useRef, type ReactNode } from 'react';

import { useViewer } from '../session/viewer.tsx';
import { useKeptFocus } from './use-kept-focus.ts';

let isFirst = true;

interface PageProps {
  title: string;
  /** What can be done with the page as a whole. */
  actions?: ReactNode;
  children: ReactNode;
}

/** One page: names the window, and takes the focus so that a reader hears where it is. */
export function Page({ title, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const keptFocus = useKeptFocus(heading);
  const { branding } = useViewer();
  const whose = branding?.companyName ?? 'Quazzar Control Panel';
  useEffect(() => {
    document.title = `${title} · ${whose}`;
  }, [title, whose]);
  useEffect(() => {
    // The first page of a visit is announced by the browser itself.
    if (isFirst) isFirst = false;
    else heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <div className="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions && (
          <div className="actions" {...keptFocus}>
            {actions}
          </div>
        )}
      </div>
      {children}
    </>
  );
}

/** What a list says when there is nothing in it: why, and the first step. */
export function Empty({ children }: { children: ReactNode }) {
  return <div className="empty">{children}</div>;
}
