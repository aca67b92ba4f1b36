import type { Role } from '../generated/graphql.ts';

/** What each role is for, from the most to the least. */
export const roles: readonly { value: Role; text: string }[] = [
  { value: 'OWNER', text: 'Owner: everything' },
  { value: 'ADMIN', text: 'Admin: all but owners' },
  { value: 'OPERATOR', text: 'Operator: the fleet' },
  { value: 'BILLING', text: 'Billing: plans and invoices' },
  { value: 'VIEWER', text: 'Viewer: looks only' },
];
