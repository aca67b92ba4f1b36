import { useId, type ReactNode, type Ref } from 'react';
import type { CombinedError } from 'urql';

import { problemOf } from '../api/problem.ts';
import { Problem } from './problem.tsx';

interface CardProps {
  title: string;
  error?: CombinedError | undefined;
  retry?: () => void;
  className?: string;
  /** It has neither been read yet nor failed. */
  isReading?: boolean;
  /** For a card whose heading takes the focus of what goes away in it. */
  heading?: Ref<HTMLHeadingElement>;
  children: ReactNode;
}

/** A part of a page that is read by itself and fails by itself. */
export function Card(props: CardProps) {
  const { title, error, retry, className = '', isReading = false, heading, children } = props;
  const id = useId();
  return (
    <section className={`card ${className}`} aria-labelledby={id}>
      <h2 id={id} ref={heading} tabIndex={heading ? -1 : undefined}>
        {title}
      </h2>
      {error && <Problem told={problemOf(error)} {...(retry ? { retry } : {})} />}
      {isReading && <p className="quiet">Reading…</p>}
      {children}
    </section>
  );
}

/** How much of something is used; without a limit only how much. */
export function Meter({
  label,
  used,
  limit,
  unit = '',
}: {
  label: string;
  used: number;
  limit: number | null;
  unit?: string;
}) {
  const text = limit === null ? `${used}${unit}, unlimited` : `${used} of ${limit}${unit}`;
  return (
    <div className="meter">
      <span>{label}</span> <span>{text}</span>
      {limit !== null && (
        <progress aria-label={label} value={Math.min(used, limit)} max={Math.max(1, limit)} />
      )}
    </div>
  );
}
