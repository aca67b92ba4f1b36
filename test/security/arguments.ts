import { randomUUID } from 'node:crypto';

import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
} from 'graphql';

import type { RootField } from './operations.js';

/** Whose things the arguments name. */
export interface Source {
  /** The id of one of its things, as in `enrollmentToken`. Throws NoArguments when it has none. */
  id(noun: string): string;
  /** Values for certain places, as in `InstanceFilter.q` or `Query.instance.id`; they win over every rule. */
  values: Readonly<Record<string, unknown>>;
}

/** No rule says what to put there. The message says which rule is missing. */
export class NoArguments extends Error {}

/** Which of the arguments are given: what has to be, or optional ones and optional input fields as well. */
export type Extent = 'required' | 'everything';

/** Other ways to call an operation, by its row in the matrix. */
export const variants: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'Mutation.verifyTotp#challenge': { 'VerifyTotpInput.challengeToken': 'no-such-challenge' },
};

/** What is an id of what, by place or by name, where neither the name nor the operation's answer tells. */
const idsOf: Readonly<Record<string, string>> = {
  'Mutation.deletePolicyExemption.id': 'exemption',
  'Query.policyExemption.id': 'exemption',
  'Query.policyRemediation.id': 'remediation',
  'AcknowledgeAlertsInput.ids': 'alert',
  addInstanceId: 'instance',
  groupId: 'instanceGroup',
  'InstanceFilter.ids': 'instance',
  'MemberFilter.ids': 'user',
  'Mutation.decommissionInstance.id': 'instance',
  'Mutation.impersonateInstance.id': 'instance',
  'Mutation.sendAddressConfirmations.channelId': 'notificationChannel',
  'Mutation.sendTestNotification.channelId': 'notificationChannel',
  'NotificationDeliveryFilter.channelId': 'notificationChannel',
  removeInstanceId: 'instance',
  'RotateWebhookSecretInput.id': 'notificationChannel',
};

const aRule = { condition: 'backup.encryption', operator: 'equals', value: true };

/** What the rules below would get wrong, by place. */
const byPlace: Readonly<Record<string, unknown>> = {
  // Alerts are either named or described.
  'AcknowledgeAlertsInput.filter': undefined,
  'AuditEventFilter.action': undefined,
  'AuditEventFilter.to': undefined,
  'CommandFilter.to': undefined,
  'AuthorizationRequestInput.codeChallenge': 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  'AuthorizationRequestInput.codeChallengeMethod': 'S256',
  'AuthorizationRequestInput.responseType': 'code',
  // Only owners make owners.
  'ChangeMemberRoleInput.role': 'VIEWER',
  'ChangePasswordInput.newPassword': 'another horse battery',
  'FailOverInput.target': 'nobody',
  'StartUpgradeInput.version': '2.0.0',
  'Query.haUpgrade.id': 'upg_00000000000000000000000000',
  'UpgradeInput.id': 'upg_00000000000000000000000000',
  'DecideAuthorizationInput.consentId': 'no-such-consent',
  'EnrollInstanceInput.baseUrl': 'https://generated.example.com',
  'EnrollInstanceInput.redirectUris': ['https://generated.example.com/callback'],
  'AdmissionInput.action': 'command.restart',
  'AdmissionInput.isChange': true,
  'AdmissionInput.tags': undefined,
  'CanaryStepInput.percent': 50,
  'CreateCanaryInput.command': 'RESTART',
  'CreateCanaryInput.params': undefined,
  'CreateCanaryInput.rollback': undefined,
  'CreateCanaryInput.appliesTo': undefined,
  'CreateCanaryInput.progressDeadlineSeconds': 600,
  'UpdateCanaryInput.action': 'PAUSE',
  'UpdateCanaryInput.name': undefined,
  'UpdateCanaryInput.steps': undefined,
  'PolicyRemedyInput.command': 'RESTART',
  'PolicyRemedyInput.params': undefined,
  'CreateGitOpsConfigInput.credential': undefined,
  'CreateGitOpsConfigInput.repoUrl': 'https://127.0.0.1/generated.git',
  'CreateGitOpsConfigInput.syncIntervalSeconds': 60,
  'CreateGitOpsConfigInput.webhookSecret': 'generated-for-webhooks',
  'UpdateGitOpsConfigInput.credential': undefined,
  'UpdateGitOpsConfigInput.repoUrl': undefined,
  'UpdateGitOpsConfigInput.syncIntervalSeconds': 60,
  'UpdateGitOpsConfigInput.webhookSecret': 'generated-for-webhooks',
  'CreatePolicyInput.appliesTo': 'all_instances',
  'UpdatePolicyInput.appliesTo': 'all_instances',
  'PreviewPolicyInput.appliesTo': 'all_instances',
  'CreatePolicyInput.rule': aRule,
  'PreviewPolicyInput.rule': aRule,
  'UpdatePolicyInput.rule': aRule,
  'CreatePolicyExemptionInput.expiresAt': undefined,
  'Mutation.installPolicyPack.id': 'upkeep',
  'CreateServerEnrollmentTokenInput.serverId': 'srv_generated',
  // What is protected can not be decommissioned.
  'Mutation.protectServer.isProtected': false,
  'Query.auditEvent.sequence': 1,
  'Query.hostingRegions.provider': 'hetzner',
  'Query.hostingSizes.provider': 'hetzner',
  'Query.hostingSizes.region': 'fsn1',
  'Query.serverForecast.provider': 'hetzner',
  'Query.serverForecast.region': 'fsn1',
  'Query.serverForecast.size': 'cx22',
  'ClusterFilter.region': 'eu-central',
  'ClusterFilter.status': 'HEALTHY',
  'ClusterFilter.tag': 'web',
  'DeploymentFilter.status': 'RUNNING',
  'DeploymentFilter.isManaged': true,
  'CreateDeploymentInput.env': { A: 'a' },
  'UpdateDeploymentInput.env': { A: 'a' },
  'UpdateDeploymentInput.setEnv': undefined,
  'UpdateDeploymentInput.removeEnv': undefined,
  'PlaceDeploymentInput.env': { A: 'a' },
  'PlaceDeploymentInput.region': 'eu-central',
  'PlaceDeploymentInput.tag': 'web',
  'UpdatePlacementInput.env': { A: 'a' },
  'UpdatePlacementInput.setEnv': undefined,
  'UpdatePlacementInput.removeEnv': undefined,
  'PlacementFilter.status': 'PLACED',
  'ServerFilter.provider': 'hetzner',
  'ServerFilter.status': 'RUNNING',
  'SetHostingBudgetInput.currency': 'EUR',
  'ExchangeAuthorizationCodeInput.codeVerifier': 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  'ExchangeAuthorizationCodeInput.grantType': 'authorization_code',
  // With the right one the caller's tenant would end.
  'CloseOrganizationInput.currentPassword': 'not the password',
  'InviteMemberInput.role': 'VIEWER',
  'Query.metricsHistory.metric': 'cpu',
  'Query.metricsHistory.range': '1h',
  'SendCommandInput.command': 'RESTART',
  'VerifyTotpInput.challengeToken': undefined,
};

/** Strings and ids by the name of their argument or field. */
const byName: Readonly<Record<string, (source: Source) => unknown>> = {
  actor: (source) => source.id('user'),
  after: () => Buffer.from('0').toString('base64url'),
  clientId: (source) => source.id('instance'),
  code: () => '000000',
  currentPassword: () => 'correct horse battery',
  contactEmail: () => `${randomUUID()}@example.com`,
  email: () => `${randomUUID()}@example.com`,
  hostname: () => 'generated.example.com',
  target: (source) => source.id('instance'),
  password: () => 'correct horse battery',
  newPassword: () => 'correct horse battery',
  version: () => '0.2.9',
};

const scalars: Readonly<Record<string, unknown>> = {
  Boolean: true,
  Int: 10,
  Float: 10,
  String: 'generated',
  Measurement: 10,
  ReportedText: 'generated',
  ReportedTime: '2026-01-01T00:00:00.000Z',
  DateTime: '2026-01-01T00:00:00.000Z',
  JSON: { generated: true },
  JSONObject: { generated: true },
};

/** Arguments for a root field that name the source's things. */
export function argumentsFor(root: RootField, source: Source, extent: Extent): Record<string, unknown> {
  return valuesOf(root.field.args, root.coordinate, isRequiredArgument, {
    source,
    extent,
    answers: getNamedType(root.field.type).name,
  });
}

/** The value of one argument of a field below the root. */
export function argumentFor(owner: string, field: GraphQLArgument, source: Source): unknown {
  return valueOf(field.type, `${owner}.${field.name}`, field.name, {
    source,
    extent: 'required',
    answers: owner,
  });
}

/** The value of an input type by itself, as a REST body has it. */
export function inputFor(type: GraphQLInputObjectType, source: Source): Record<string, unknown> {
  const rules: Rules = { source, extent: 'required', answers: type.name };
  return valuesOf(Object.values(type.getFields()), type.name, isRequiredInputField, rules);
}

/** Whether any id is among a field's arguments, at whatever depth. */
export function takesIds({ field }: RootField): boolean {
  const seen = new Set<string>();
  const isId = (type: GraphQLInputType): boolean => {
    const named = getNamedType(type);
    if (!isInputObjectType(named)) return named.name === 'ID';
    if (seen.has(named.name)) return false;
    seen.add(named.name);
    return Object.values(named.getFields()).some((inner) => isId(inner.type));
  };
  return field.args.some(({ type }) => isId(type));
}

interface Rules {
  source: Source;
  extent: Extent;
  /** The type that the operation answers: an argument called `id` is the id of such a thing. */
  answers: string;
}

function valuesOf<Position extends GraphQLArgument | GraphQLInputField>(
  positions: readonly Position[],
  owner: string,
  isRequired: (position: Position) => boolean,
  rules: Rules,
): Record<string, unknown> {
  const given = positions.filter((position) => {
    const place = `${owner}.${position.name}`;
    return rules.extent === 'everything' || isRequired(position) || place in rules.source.values;
  });
  const values = given.map(
    ({ name, type }) => [name, valueOf(type, `${owner}.${name}`, name, rules)] as const,
  );
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function valueOf(type: GraphQLInputType, place: string, name: string, rules: Rules): unknown {
  for (const table of [rules.source.values, byPlace]) if (place in table) return table[place];
  if (isNonNullType(type)) return valueOf(type.ofType, place, name, rules);
  if (isListType(type)) return [valueOf(type.ofType, place, name.replace(/s$/, ''), rules)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    return valuesOf(Object.values(type.getFields()), type.name, isRequiredInputField, rules);
  }
  const named = byName[name];
  if (named && (type.name === 'ID' || type.name === 'String')) return named(rules.source);
  if (type.name === 'ID') return rules.source.id(nounOf(name, place, rules.answers));
  if (type.name in scalars) return scalars[type.name];
  throw new NoArguments(`test/security/arguments.ts has no rule for ${place}, of type ${type.name}`);
}

/** `instanceId` names an instance; `id` names what the operation answers, unless it is said otherwise. */
function nounOf(name: string, place: string, answers: string): string {
  const noun = idsOf[place] ?? idsOf[name] ?? (name === 'id' ? answers : name.replace(/Id$/, ''));
  return noun.charAt(0).toLowerCase() + noun.slice(1);
}
