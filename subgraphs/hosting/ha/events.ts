/** Events of the whole panel are of this tenant, which nobody belongs to. */
export const panelTenant = 'panel';
