import { useEffect } from 'react';

import { textOn } from '../parts/text-on.ts';
import { useViewer } from '../session/viewer.tsx';

const root = document.documentElement.style;
const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]')!;
const ownIcon = icon.href;

/** Whose console it is, by the branding that applies to the viewer: its name and logo here, its colour on every page. */
export function Brand() {
  const { branding } = useViewer();
  const color = branding?.primaryColor;
  // The panel's own copy, from wherever this page came: it may be known by several names.
  const logo = branding?.logoSource ? new URL(branding.logoSource).pathname : undefined;
  useEffect(() => {
    if (color === undefined) return undefined;
    const text = textOn(color);
    const look = {
      '--accent-back': color,
      '--on-accent': text,
      // What has the colour of the paper it is on is seen by its edge.
      '--accent-edge': `color-mix(in srgb, ${color} 70%, ${text})`,
    };
    for (const [name, value] of Object.entries(look)) root.setProperty(name, value);
    return () => Object.keys(look).forEach((name) => root.removeProperty(name));
  }, [color]);
  useEffect(() => {
    if (logo === undefined) return undefined;
    icon.href = logo;
    return () => void (icon.href = ownIcon);
  }, [logo]);
  return (
    <span className="brand">
      {logo !== undefined && <img src={logo} alt="" />}
      {branding?.companyName ?? 'Quazzar'}
    </span>
  );
}
