import { useState } from 'react';

import { Choice } from '../parts/field.tsx';

type Theme = 'system' | 'light' | 'dark';

const options = [
  { value: 'system', text: 'As the system' },
  { value: 'light', text: 'Light' },
  { value: 'dark', text: 'Dark' },
] as const;

const key = 'quazzar-theme';

/** A browser may be told to keep nothing, and then has no storage at all. */
function remembered(): Theme {
  try {
    const theme = localStorage.getItem(key);
    return theme === 'light' || theme === 'dark' ? theme : 'system';
  } catch {
    return 'system';
  }
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
        try {
          localStorage.setItem(key, chosen);
        } catch {
          // It holds for this visit.
        }
      }}
    />
  );
}
