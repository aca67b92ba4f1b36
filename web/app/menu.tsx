import { useEffect, useRef, type ReactNode } from 'react';

interface MenuProps {
  text: string;
  className: string;
  children: ReactNode;
}

/** What a press unfolds over the page: it is gone by Escape, with what was chosen in it, and by whatever is done beside it. */
export function Menu({ text, className, children }: MenuProps) {
  const menu = useRef<HTMLDetailsElement>(null);
  const close = () => menu.current?.removeAttribute('open');
  const isBeside = (place: EventTarget | null) => place instanceof Node && !menu.current?.contains(place);
  useEffect(() => {
    const closeBeside = ({ target }: PointerEvent) => {
      if (isBeside(target)) close();
    };
    addEventListener('pointerdown', closeBeside);
    return () => removeEventListener('pointerdown', closeBeside);
  }, []);
  return (
    <details
      ref={menu}
      className={className}
      onKeyDown={({ key }) => {
        if (key !== 'Escape') return;
        close();
        menu.current?.querySelector('summary')?.focus();
      }}
      onBlur={({ relatedTarget }) => {
        if (isBeside(relatedTarget)) close();
      }}
      onClick={({ target }) => {
        if (target instanceof Element && target.closest('a')) close();
      }}
    >
      <summary>{text}</summary>
      <div>{children}</div>
    </details>
  );
}
