/** What a tenant used in one hour; told once each hour, and the same when told again. */
export interface UsageMeasured {
  /** The hour's beginning. */
  hour: string;
  instances?: number;
  storageGb?: number;
  users?: number;
}

/** Rows of a tenant that one area has erased, for the export. */
export interface RowsExported {
  erasureId: string;
  area: string;
  table: string;
  part: number;
  rows: Record<string, unknown>[];
}

/** One area has nothing of the tenant any more. */
export interface AreaErased {
  erasureId: string;
  area: string;
  /** Table to how many rows there were. */
  rows: Record<string, number>;
}

/** Rows of a tenant that one area has copied for an export; it keeps them. */
export interface RowsCopied {
  exportId: string;
  area: string;
  table: string;
  part: number;
  rows: Record<string, unknown>[];
}

/** One area has copied its part of an export. */
export interface AreaCopied {
  exportId: string;
  area: string;
  /** Table to how many rows there are. */
  rows: Record<string, number>;
  /** Whether it had more than it copies. */
  isCut: boolean;
}

/** Something that changed nothing but matters to whoever watches over a tenant. */
export interface SecurityRecorded {
  /** Words of the OWASP Logging Vocabulary where it has one. */
  action:
    | 'authn_login_fail'
    | 'authn_login_lock'
    | 'authn_token_reuse'
    | 'authn_totp_fail'
    | 'authn_recovery_code_used'
    | 'authn_code_replay'
    | 'delegation_used'
    | 'impersonation_refused';
  userId: string;
  reason?: string;
  clientAddress: string;
  /** Who did it, where that is not an anonymous caller, and to what. */
  actor?: string;
  actorKind?: string;
  target?: string;
  /** Of a refused impersonation: who had asked for it, by which token, for which node. */
  impersonator?: string;
  jti?: string;
  audience?: string;
  /** Where a provider's user acts for a client: under which grant, and from which tenant. */
  grant?: string;
  actorTenant?: string;
}
