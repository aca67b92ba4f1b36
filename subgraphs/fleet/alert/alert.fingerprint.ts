/** What an alert is about, in one word: rule, instance and, where there is one, component. */
export function fingerprintOf(alert: { rule: string; instanceId: string; component: string }): string {
  const { rule, instanceId, component } = alert;
  return [rule.toLowerCase(), instanceId, ...(component === '' ? [] : [component])].join('/');
}
