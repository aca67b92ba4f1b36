import type { Mail } from './mail.js';

/** What a tenant's mail shows of it. */
export interface MailBranding {
  /** One line. */
  companyName: string;
  supportEmail: string | null;
}

/** A mail as its tenant presents itself: from its name, signed with it, and answered to its support. */
export function brandedMail(mail: Mail, branding: MailBranding | undefined): Mail {
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
