import { randomBytes } from 'node:crypto';

import { Secret, TOTP } from 'otpauth';

import { dataOf } from '../support/answers.js';
import type { TestPanel } from '../support/panel.js';
import { until, type Node } from '../support/world.js';
import { markersOf } from './markers.js';
import { billing, partner, tellPartner, tellSubscription } from './rich-billing.js';
import { formerNode, groups, notifications, silence } from './rich-fleet.js';
import { tellGitOps } from './rich-gitops.js';
import { changeCanary, changeScores, governance, tellRemediation } from './rich-governance.js';
import { hosting, tellPanel, tellServer } from './rich-hosting.js';
import {
  answerRequests,
  apiKey,
  changeClient,
  delegate,
  impersonations,
  exported,
  invitations,
  mailToken,
  manage,
  mspClient,
  receive,
  requests,
} from './rich-people.js';
import { nudge, rowsOf, settledRowsOf, tenantTables } from './rows.js';
import { enroll, foundation, redirectUri, Scene, sha256 } from './scene.js';

/** Tables of tenants that a scene leaves empty. */
const mayBeEmpty: ReadonlySet<string> = new Set([
  // Events that cannot be taken in.
  'platform.parked_event',
  // A job takes the request away at once.
  'billing.sync_request',
  // Told once an hour.
  'billing.usage_record',
  // Marks of what is to be told, which go as it is.
  'fleet.client_mark',
  'governance.score_mark',
  // Of tenants that were clients from the beginning.
  'fleet.client_told',
  // Background steps fill them when hours or days have passed.
  'fleet.metrics_daily',
  'fleet.metrics_hourly',
  'fleet.version_baseline',
  'identity.tenant_erasure',
  'identity.tenant_export_part',
]);

/**
 * What a node of one tenant measures and no other's does: sums over a fleet that let it in would show it. Of seven
 * digits, as no part of a request id is.
 */
const measured = (seed: number) => ({
  cpu_percent: 40 + seed + 0.2,
  memory_percent: 50 + seed + 0.4,
  disk_percent: 60 + seed + 0.7,
  apps_count: 1_447_100 + seed,
  cpu_cores: 2_973_100 + seed,
  memory_gb: 3_779_300 + seed,
});

let seeds = 0;

/** A tenant that has something of everything, so that there is something to leak. */
export class RichScene extends Scene {
  private numbers: readonly string[] = [];
  /** Values that are as good as a signature of the tenant, by the place where they are given. */
  secrets: Record<string, unknown> = {};

  static async rich(panel: TestPanel): Promise<RichScene> {
    const scene = new RichScene(panel, ...(await foundation(panel)));
    await scene.tenant.grantPlan('ENTERPRISE');
    await scene.alertAtOnce();
    await notifications(scene);
    await formerNode(scene);
    await scene.measure();
    await scene.send(scene.node);
    await scene.oneTimeCodes();
    await scene.signInToNode();
    await mspClient(scene);
    await exported(scene);
    await groups(scene);
    await manage(scene);
    // The second takes the place of the first, which ends.
    for (let times = 0; times < 2; times += 1) await delegate(scene);
    await requests(scene);
    await changeClient(scene);
    await answerRequests(scene);
    await billing(scene);
    await partner(scene);
    await governance(scene);
    await hosting(scene);
    scene.secrets = {
      ...scene.secrets,
      ...(await invitations(scene)),
      ...(await impersonations(scene)),
      ...(await apiKey(scene)),
      'EnrollInstanceInput.token': scene.enrollmentToken,
      'LoginInput.email': scene.tenant.account.email,
      'LoginInput.password': scene.tenant.account.password,
      'RefreshSessionInput.refreshToken': scene.tenant.refreshToken,
      'RequestPasswordResetInput.email': scene.tenant.account.email,
      'ResetPasswordInput.token': await mailToken(scene, 'PASSWORD_RESET'),
      'VerifyEmailInput.token': await mailToken(scene, 'EMAIL_VERIFICATION'),
      'ConfirmEmailChangeInput.token': await mailToken(scene, 'EMAIL_CHANGE'),
    };
    scene.values['InstanceFilter.q'] = scene.word;
    scene.values['FormerInstanceFilter.q'] = scene.word;
    // Whom it is for is said in one of three ways, none of which has to be used. A refusal doesn't name tags.
    scene.values['Query.previewCommand.input'] = { command: 'RESTART', tags: [`${scene.word}-tag`] };
    await settledRowsOf(panel, scene.tenant.id);
    await scene.reread();
    return scene;
  }

  /** What tells this tenant from `others`. */
  markers(others: readonly Scene[]): string[] {
    const tokens = [this.tenant.token, this.node.credential, this.oauthToken ?? this.word];
    const secrets = Object.values(this.secrets).filter((secret) => secret !== this.tenant.account.password);
    return markersOf(
      this.rows,
      others.flatMap(({ rows }) => rows),
      [this.word, ...this.numbers, ...tokens, ...secrets.map(String)],
    );
  }

  /** What its own owner must be shown by the generated calls, or they would not show anything to others either. */
  get visible(): string[] {
    const { tenant, node, word } = this;
    return [
      tenant.id,
      tenant.user.id,
      tenant.account.email,
      node.id,
      `${word} company`,
      `${word} token`,
      ...this.numbers,
    ];
  }

  /** Does what every subscription tells of. */
  async act(): Promise<void> {
    const node = await enroll(this.panel, this.word, this.enrollmentToken);
    await node.beat({ health: [this.wornOut] });
    await this.send(this.node, node);
    await silence(this);
    await formerNode(this);
    await delegate(this);
    await changeClient(this);
    await answerRequests(this);
    await receive(this);
    await tellSubscription(this);
    await tellPartner(this);
    await changeScores(this);
    await changeCanary(this);
    await tellGitOps(this);
    await tellRemediation(this);
    await tellServer(this);
    await tellPanel(this);
    await this.alerted(node);
  }

  /** Tables of tenants in which it has nothing, although it should. */
  async emptyTables(): Promise<string[]> {
    const filled = new Set((await rowsOf(this.panel, this.tenant.id)).map(({ table }) => table));
    return (await tenantTables(this.panel)).filter((table) => !filled.has(table) && !mayBeEmpty.has(table));
  }

  private async measure(): Promise<void> {
    const beat = measured((seeds += 1));
    const answer = await this.node.beat({
      ...beat,
      health: [this.wornOut],
      facts: { [`${this.word}-fact`]: `${this.word}-value` },
    });
    if (answer.status !== 200) throw new Error(`heartbeat: ${answer.status} ${answer.text}`);
    this.numbers = Object.values(beat).map(String);
    await this.alerted(this.node);
  }

  private get wornOut(): Record<string, unknown> {
    return { component: `${this.word}-disk`, status: 'unhealthy', message: `${this.word} is worn out` };
  }

  /** So that the first beat with something wrong raises its alert. */
  private async alertAtOnce(): Promise<void> {
    const input = { kind: 'COMPONENT_UNHEALTHY', forSeconds: 0 };
    dataOf(
      await this.tenant.graphql(
        'mutation($input: UpdateAlertRuleInput!) { updateAlertRule(input: $input) { kind } }',
        {
          input,
        },
      ),
    );
  }

  private async send(...nodes: readonly Node[]): Promise<void> {
    const input = {
      instanceIds: nodes.map(({ id }) => id),
      command: 'RESTART',
      idempotencyKey: `${this.word}-${nodes.at(-1)?.name}`,
    };
    dataOf(
      await this.tenant.graphql('mutation($input: SendCommandInput!) { sendCommand(input: $input) { id } }', {
        input,
      }),
    );
  }

  /** Lets the panel's clock come to the step that raises alerts, as often as it takes. */
  private async alerted({ id }: Node): Promise<void> {
    const isFiring = async () =>
      (await this.panel.sql(`select from fleet.alert where instance_id = $1 and status = 'FIRING'`, [id]))
        .length > 0;
    const isFound = async () =>
      until(isFiring, 'an alert', 500).then(
        () => true,
        () => false,
      );
    for (let turns = 0; !(await isFound()); turns += 1) {
      if (turns === 12) throw new Error('no alert was raised within a minute');
      await this.panel.clock.advance(5_000);
    }
  }

  /** A user with one-time codes, who has given the password and not the code yet. */
  private async oneTimeCodes(): Promise<void> {
    const { token } = await this.member('operator', false);
    const ask = async <Data>(query: string, variables: Record<string, unknown> = {}) =>
      dataOf(await this.panel.world.graphql<Data>(query, variables, token));
    const { me } = await ask<{ me: { email: string } }>('{ me { email } }');
    const { enableTotp } = await ask<{ enableTotp: { secret: string; recoveryCodes: string[] } }>(
      'mutation($input: EnableTotpInput!) { enableTotp(input: $input) { secret recoveryCodes } }',
      { input: { currentPassword: this.tenant.account.password } },
    );
    const code = new TOTP({ secret: Secret.fromBase32(enableTotp.secret) }).generate({
      timestamp: this.panel.clock.now().getTime(),
    });
    const input = { code };
    await ask('mutation($input: VerifyTotpInput!) { verifyTotp(input: $input) { totpEnabled } }', { input });
    const login = await this.panel.world.login(me.email, this.tenant.account.password);
    const { challenge_token: challenge } = login.body as unknown as { challenge_token: string };
    this.secrets['VerifyTotpInput.challengeToken'] = challenge;
    this.secrets['VerifyTotpInput.code'] = enableTotp.recoveryCodes[0];
  }

  /** Signs the owner in to the node, and leaves a second code unused. */
  private async signInToNode(): Promise<void> {
    const verifier = randomBytes(32).toString('base64url');
    const client = { clientId: this.node.id, redirectUri: redirectUri(this.word) };
    await until(async () => this.isClient(), 'the node to be a client');
    const exchange = async () => ({
      ...client,
      grantType: 'authorization_code',
      codeVerifier: verifier,
      code: await this.code({ ...client, codeChallenge: sha256(verifier) }),
    });
    const tokens = await this.panel.world.graphql<{ exchangeAuthorizationCode: { accessToken: string } }>(
      'mutation($input: ExchangeAuthorizationCodeInput!) { exchangeAuthorizationCode(input: $input) { accessToken } }',
      { input: await exchange() },
    );
    this.oauthToken = dataOf(tokens).exchangeAuthorizationCode.accessToken;
    for (const [name, value] of Object.entries(await exchange())) {
      if (name.startsWith('code')) this.secrets[`ExchangeAuthorizationCodeInput.${name}`] = value;
    }
  }

  private async isClient(): Promise<boolean> {
    await nudge(this.panel);
    const rows = await this.panel.sql('select from identity.oauth_client where instance_id = $1', [
      this.node.id,
    ]);
    return rows.length > 0;
  }

  private async code(request: Record<string, string>): Promise<string> {
    const preflight = await this.tenant.graphql<{ authorizationPreflight: { consentId: string } }>(
      'query($input: AuthorizationRequestInput!) { authorizationPreflight(input: $input) { consentId } }',
      { input: request },
    );
    const { consentId } = dataOf(preflight).authorizationPreflight;
    const decision = await this.tenant.graphql<{ decideAuthorization: { redirectTo: string } }>(
      'mutation($input: DecideAuthorizationInput!) { decideAuthorization(input: $input) { redirectTo } }',
      { input: { consentId, approve: true } },
    );
    return new URL(dataOf(decision).decideAuthorization.redirectTo).searchParams.get('code') ?? '';
  }
}
