import { Secret, TOTP } from 'otpauth';

import type { TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { mustBe } from './oauth.js';

export interface Enabled {
  secret: string;
  otpauth_url: string;
  qr_svg: string;
  recovery_codes: string[];
}

/** The code of an authenticator app; `steps` away from the current one. */
export function codeAt(panel: TestPanel, secret: string, steps = 0): string {
  const timestamp = panel.clock.now().getTime() + steps * 30_000;
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp });
}

/** Moves on to a step whose code nobody has used. */
export async function nextCode(panel: TestPanel, secret: string): Promise<string> {
  await panel.clock.leap(60_000);
  return codeAt(panel, secret);
}

/** A secret that is not in force yet. */
export async function askForTotp(tenant: Tenant, current_password = tenant.account.password) {
  return tenant.rest<Enabled>('/api/auth/totp/enable', { body: { current_password } });
}

/** Switches TOTP on for the tenant's owner. */
export async function enableTotp(panel: TestPanel, tenant: Tenant): Promise<Enabled> {
  const enabled = await askForTotp(tenant);
  mustBe(enabled, 200);
  const code = codeAt(panel, enabled.body.secret);
  const verified = await tenant.rest('/api/auth/totp/verify', { body: { code } });
  mustBe(verified, 200);
  return enabled.body;
}
