import { textOn } from '../parts/text-on.ts';

interface BrandingPreviewProps {
  companyName: string;
  /** As it is typed: what is no colour yet is not shown. */
  primaryColor: string;
  supportEmail: string;
  logoSource: string | null;
}

const shape = /^#[\da-f]{6}$/i;

/** What people see of it: here as where they sign in at a node. */
export function BrandingPreview({
  companyName,
  primaryColor,
  supportEmail,
  logoSource,
}: BrandingPreviewProps) {
  const color = shape.test(primaryColor) ? primaryColor : undefined;
  // The panel's own copy, from wherever this page came: it may be known by several names.
  const logo = logoSource && new URL(logoSource).pathname;
  return (
    <div className="branding">
      {logo && <img src={logo} alt={`The logo of ${companyName}`} />}
      <p className="big">Sign in with {companyName}</p>
      <span
        className="button"
        {...(color ? { style: { background: color, borderColor: color, color: textOn(color) } } : {})}
      >
        Sign in
      </span>
      {supportEmail && <p className="quiet">Help: {supportEmail}</p>}
    </div>
  );
}
