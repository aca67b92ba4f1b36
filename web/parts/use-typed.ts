import { useEffect, useRef, useState } from 'react';

import { useSettled } from '../api/use-settled.ts';

/** What is typed into a field whose text the address has, which gets it once it has not changed for a moment. */
export function useTyped(inAddress = '', keep: (text: string) => void) {
  const [typed, setTyped] = useState(inAddress);
  const settled = useSettled(typed.trim(), 400);
  /** What the address has, or is about to have. */
  const known = useRef(inAddress);
  useEffect(() => {
    if (settled === known.current) return;
    known.current = settled;
    keep(settled);
  }, [settled]);
  useEffect(() => {
    if (inAddress === known.current) return;
    known.current = inAddress;
    setTyped(inAddress);
  }, [inAddress]);
  return [typed, setTyped] as const;
}
