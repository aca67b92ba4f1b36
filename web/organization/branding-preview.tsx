interface BrandingPreviewProps {
  companyName: string;
  /** As it is typed: what is no colour yet is not shown. */
  primaryColor: string;
  supportEmail: string;
  logoSource: string | null;
}

const shape = /^#[\da-f]{6}$/i;

/** What people see of it before they are signed in: on invitations, and where a password is chosen. */
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
      <p className="big">{companyName}</p>
      <p>Choose a new password</p>
      <span
        className="button"
        {...(color ? { style: { background: color, borderColor: color, color: textOn(color) } } : {})}
      >
        Save the password
      </span>
      {supportEmail && <p className="quiet">Help: {supportEmail}</p>}
    </div>
  );
}

/** White, or black where white is hard to read (WCAG 2.2, 1.4.3), as the panel's own pages have it. */
function textOn(color: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) >= 4.5 ? '#fff' : '#000';
}
