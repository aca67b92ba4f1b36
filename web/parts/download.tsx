import { useState } from 'react';

import type { Told } from '../api/problem.ts';
import { save } from '../api/save.ts';
import { announce } from './announce.tsx';
import { Problem } from './problem.tsx';

interface DownloadProps {
  path: string;
  /** What the file is called. */
  name: string;
  text: string;
  /** The same with what it is about, for those who don't see what it stands beside. */
  label: string;
}

/** A button that saves what the panel has at a path as a file. */
export function Download({ path, name, text, label }: DownloadProps) {
  const [isBusy, setBusy] = useState(false);
  const [told, setTold] = useState<Told>();
  const load = async () => {
    if (isBusy) return;
    setBusy(true);
    const problem = await save(path, name);
    setBusy(false);
    setTold(problem);
    if (!problem) announce(`${name} is saved.`);
  };
  return (
    <>
      <button type="button" aria-label={label} aria-disabled={isBusy} onClick={() => void load()}>
        {text}
      </button>
      <Problem told={told} />
    </>
  );
}
