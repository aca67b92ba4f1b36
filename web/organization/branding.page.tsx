import { useState } from 'react';

import { useRead } from '../api/use-read.ts';
import {
  BrandingDocument,
  UpdateBrandingDocument,
  type BrandingPartsFragment,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { changedOf } from '../parts/changed.ts';
import { Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { useViewer } from '../session/viewer.tsx';
import { BrandingPreview } from './branding-preview.tsx';

/** How the organization presents itself: in this console, in mails, and at its nodes, to its people and to its clients. */
export default function BrandingPage() {
  const { data, told, read } = useRead(BrandingDocument);
  const isMissing = told?.code === 'PLAN_REQUIRED';
  return (
    <Page title="Branding">
      <Problem told={told} {...(isMissing ? {} : { retry: read })} />
      {!data && !told && <p role="status">Reading how it looks…</p>}
      {data && <Editor branding={data.branding} onChange={read} />}
    </Page>
  );
}

interface Settings {
  companyName: string | null;
  primaryColor: string | null;
  logoUrl: string | null;
  supportEmail: string | null;
}

/** Of what is a provider's nothing is the organization's own yet: all of it is sent. */
const nothing: Settings = { companyName: null, primaryColor: null, logoUrl: null, supportEmail: null };

function settingsOf({ companyName, primaryColor, logoUrl, supportEmail }: BrandingPartsFragment): Settings {
  // What there is none of is empty in the form, and to the API.
  return { companyName, primaryColor, logoUrl: logoUrl ?? '', supportEmail: supportEmail ?? '' };
}

interface EditorProps {
  branding: BrandingPartsFragment;
  onChange: () => void;
}

function Editor({ branding, onChange }: EditorProps) {
  const { may, reread } = useViewer();
  /** As it was when editing began. */
  const [before, setBefore] = useState(branding);
  const [typed, setTyped] = useState({
    companyName: branding.companyName,
    primaryColor: branding.primaryColor,
    supportEmail: branding.supportEmail ?? '',
  });
  /** Those of the last change: that a logo could not be fetched is told then only. */
  const [warnings, setWarnings] = useState(branding.warnings);
  const type = (field: keyof typeof typed) => (event: { target: { value: string } }) =>
    setTyped({ ...typed, [field]: event.target.value });
  return (
    <div className="cards">
      {may('identity.branding.manage') && (
        <Card title="What is shown">
          {branding.isInherited && (
            <p>It is that of your provider until you have your own: what you save here takes its place.</p>
          )}
          <ActionForm
            document={UpdateBrandingDocument}
            variables={(form) => ({
              input: {
                ...changedOf(before.isInherited ? nothing : settingsOf(before), {
                  companyName: textOf(form, 'companyName'),
                  primaryColor: textOf(form, 'primaryColor'),
                  logoUrl: textOf(form, 'logoUrl'),
                  supportEmail: textOf(form, 'supportEmail'),
                }),
                // Saving again fetches it again.
                ...(warnings.length > 0 ? { logoUrl: textOf(form, 'logoUrl') } : {}),
              },
            })}
            submit="Save"
            done="The branding is changed."
            onDone={({ updateBranding }) => {
              setWarnings(updateBranding.warnings);
              setBefore(updateBranding);
              onChange();
              reread();
            }}
            keepsFilled
          >
            <Field
              label="Name that is shown"
              name="companyName"
              required
              maxLength={200}
              value={typed.companyName}
              onChange={type('companyName')}
            />
            <Field
              label="Colour"
              name="primaryColor"
              required
              value={typed.primaryColor}
              onChange={type('primaryColor')}
              hint="Of buttons and of what is chosen, as #rrggbb: #2563eb is a blue."
            />
            <Field
              label="Address of the logo"
              name="logoUrl"
              type="url"
              maxLength={2000}
              defaultValue={branding.logoUrl ?? ''}
              hint="https, a PNG, JPEG, WebP or SVG of at most 512 KiB. The panel keeps a copy, which is shown once it is saved. Leave it empty for none."
            />
            <Field
              label="E-mail for help"
              name="supportEmail"
              type="email"
              value={typed.supportEmail}
              onChange={type('supportEmail')}
              hint="Where people turn when something does not work. Leave it empty for nowhere."
            />
          </ActionForm>
        </Card>
      )}
      <Card title="How it looks">
        <BrandingPreview {...typed} logoSource={branding.logoSource} />
        <div role="status">
          {warnings.map((warning) => (
            <p key={warning} className="wrong">
              {warning}.
            </p>
          ))}
        </div>
      </Card>
    </div>
  );
}
