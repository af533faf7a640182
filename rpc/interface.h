/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_INTERFACE_H
#define EVENLOG_RPC_INTERFACE_H

/*
 * What stands between Samba's core and the generated dispatch of an
 * interface: who may bind, and what is counted and refused before a method
 * sees the call.
 */

#include <dcesrv_core.h>

/* The interface as it is to be registered; the core makes its own copy. */
struct dcesrv_interface rpc_interface_even6(void);
struct dcesrv_interface rpc_interface_control(void);

#endif
