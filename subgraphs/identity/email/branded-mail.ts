import type { Mail } from '#platform/mail.js';

import type { ShownBranding } from '../branding/shown-branding.service.js';

/** A mail as its tenant presents itself: from its name, signed with it, and answered to its support. */
export function brandedMail(mail: Mail, branding: ShownBranding | undefined): Mail {
  if (!branding) return mail;
  const { companyName, supportEmail } = branding;
  const signature = supportEmail === null ? companyName : `${companyName}\nQuestions? ${supportEmail}`;
  return {
    ...mail,
    text: `${mail.text}\n${signature}\n`,
    fromName: companyName,
    ...(supportEmail === null ? {} : { replyTo: supportEmail }),
  };
}
