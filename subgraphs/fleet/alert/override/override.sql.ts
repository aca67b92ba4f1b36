import { filterColumns, filteredColumns, matchesSql } from '../../group/group.filter.js';

/**
 * Joins to instances what is in force for them of a rule, as `o`: the first override by priority of those whose group the
 * instance is in now, or nothing. Each is looked for by an index, so that a tenant without overrides of the rule costs one
 * look; what of the instance decides is read only where there are some. `source` is an `AlertOverride`. Takes the time,
 * behind what the expressions take, which name nothing that is called `i`, `g` or `o`.
 */
export const joinOverride = ({
  tenant,
  instance,
  rule,
}: Record<'tenant' | 'instance' | 'rule', string>): string =>
  `left join lateral (
    select o.*, jsonb_build_object('groupId', o.group_id, 'groupName', g.name, 'priority', o.priority) as source
    from (
      select ${filteredColumns}, array(
          select m.group_id from fleet.instance_group_member m where m.tenant_id = ${tenant} and m.instance_id = ${instance}
        ) as groups
      from fleet.instance
      where tenant_id = ${tenant} and id = ${instance}
        and exists (select from fleet.alert_rule_override where tenant_id = ${tenant} and kind = ${rule})
      offset 0
    ) i
    join fleet.alert_rule_override o on o.tenant_id = ${tenant} and o.kind = ${rule}
    cross join lateral (
      select name, ${filterColumns} from fleet.instance_group where tenant_id = o.tenant_id and id = o.group_id offset 0
    ) g
    where case g.kind when 'STATIC' then o.group_id = any (i.groups) else ${matchesSql} end
    order by o.priority limit 1
  ) o on true`;
