import type { Asked } from '#platform/admission/admission.js';
import { planEntitlements, type Plan } from '#platform/entitlement/plans.js';

/** What is asked before a tenant comes to another plan by itself. */
export function changeTo(plan: Plan): Asked {
  return {
    subject: 'PLAN_CHANGE',
    action: 'plan.change',
    facts: { 'plan.name': plan, 'plan.features': planEntitlements[plan].features },
    isChange: false,
    sentence: 'this plan be chosen',
  };
}
