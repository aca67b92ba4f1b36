import { useState } from 'react';

import { Choice } from '../parts/field.tsx';
import { recall, remember } from '../parts/remembered.ts';

type Theme = 'system' | 'light' | 'dark';

const options = [
  { value: 'system', text: 'As the system' },
  { value: 'light', text: 'Light' },
  { value: 'dark', text: 'Dark' },
] as const;

const key = 'quazzar-theme';

function remembered(): Theme {
  const theme = recall(key);
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

function show(theme: Theme): void {
  document.documentElement.style.colorScheme = theme === 'system' ? 'light dark' : theme;
}

show(remembered());

/** Light or dark; remembered for this browser. */
export function ThemeChoice() {
  const [theme, setTheme] = useState(remembered);
  return (
    <Choice<Theme>
      label="Colours"
      value={theme}
      options={options}
      onChange={(chosen) => {
        setTheme(chosen);
        show(chosen);
        remember(key, chosen);
      }}
    />
  );
}
