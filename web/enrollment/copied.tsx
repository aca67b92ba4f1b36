import { useId, useRef } from 'react';

import { announce } from '../parts/announce.tsx';

/** Text to take along. */
export function Copied({ label, text }: { label: string; text: string }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const copy = async () => {
    input.current?.select();
    // Pages without TLS have no clipboard; the text is selected then.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    try {
      await clipboard?.writeText(text);
      announce(clipboard ? `${label} copied.` : `${label} selected: copy it with your keyboard.`);
    } catch {
      announce(`${label} selected: copy it with your keyboard.`);
    }
  };
  return (
    <div className="field copied">
      <label htmlFor={id}>{label}</label>
      <input id={id} ref={input} readOnly value={text} spellCheck={false} />
      <button type="button" aria-label={`Copy: ${label}`} onClick={() => void copy()}>
        Copy
      </button>
    </div>
  );
}
