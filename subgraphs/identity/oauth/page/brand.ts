import { escapeHtml as escape } from '#platform/html.js';

import { textColorOn } from '../../branding/contrast.js';
import type { ShownBranding } from '../../branding/shown-branding.service.js';

/** How the tenant of the node presents itself on the pages that lead there. */
export type Brand = ShownBranding;

/** After the style of all pages. The colour is `#rrggbb` by the database's own check. */
export function brandStyle({ primaryColor }: Brand): string {
  const text = textColorOn(primaryColor);
  return `
.logo { display: block; max-width: 100%; max-height: 4rem; margin: 0 0 1rem; }
button { background: ${primaryColor}; color: ${text}; border-color: color-mix(in srgb, ${primaryColor} 70%, ${text}); }
`;
}

export function brandHeader({ logoPath, companyName }: Brand): string {
  return logoPath === null
    ? ''
    : `<img class="logo" src="${escape(logoPath)}" alt="${escape(companyName)}">\n`;
}

export function brandSupport({ supportEmail }: Brand): string {
  if (supportEmail === null) return '';
  const target = encodeURIComponent(supportEmail).replace('%40', '@');
  return `<p class="small">Questions? <a href="mailto:${escape(target)}">${escape(supportEmail)}</a></p>\n`;
}
