/**
 * A lookup or a counter that runs before the tenant is known: a SECURITY DEFINER function that only identity's roles
 * may call. `begin`/`declare` in the body makes it plpgsql.
 */
export function definerSql(signature: string, volatility: 'stable' | 'volatile', body: string): string[] {
  const language = /\bbegin\b/.test(body) ? 'plpgsql' : 'sql';
  const [call = ''] = signature.split(' returns ');
  return [
    `create function identity.${signature}
      language ${language} ${volatility} security definer set search_path = pg_catalog as $$ ${body} $$`,
    `revoke execute on function identity.${call} from public`,
    `grant execute on function identity.${call} to identity_app, identity_jobs`,
  ];
}
