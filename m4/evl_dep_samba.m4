dnl SPDX-License-Identifier: GPL-3.0-or-later
dnl Samba's public libraries by pkg-config, its server core and the private
dnl libraries by link tests: the symbols are the contract, see rpc/samba.h.

dnl EVL_SAMBA_SYMBOL(SYMBOL, LIBRARY-FILE, LIBS)
AC_DEFUN([EVL_SAMBA_SYMBOL], [
	AC_MSG_CHECKING([for $1 in $2])
	evl_save_LIBS=$LIBS
	LIBS="$SAMBA_PRIVATE_LIBS $SAMBA_CLIENT_LIBS $SAMBA_LIBS $LIBS"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[void $1(void);]], [[$1();]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		 AC_MSG_ERROR([Samba's $2 has no $1: this source needs Samba 4.17 as in Debian 12 (samba-dev, samba-libs)])])
	LIBS=$evl_save_LIBS
])

AC_DEFUN([EVL_DEP_SAMBA], [
	PKG_CHECK_MODULES([SAMBA],
		[dcerpc_server dcerpc ndr ndr_standard samba-util samba-credentials samba-hostconfig],,
		[AC_MSG_ERROR([Samba's development files are missing: install samba-dev])])
	evl_samba_libdir=$($PKG_CONFIG --variable=libdir dcerpc_server)
	AC_SUBST([SAMBA_PRIVATE_DIR], ["$evl_samba_libdir/samba"])
	AS_IF([test -d "$SAMBA_PRIVATE_DIR"],,
		[AC_MSG_ERROR([$SAMBA_PRIVATE_DIR is missing: install samba-libs])])
	SAMBA_PRIVATE_LIBS="-ldcerpc-server-core -lsmbconf"
	for evl_lib in RPC-SERVER-LOOP auth secrets3 smbd-shim gensec samba-security samba-sockets samba-debug; do
		SAMBA_PRIVATE_LIBS="$SAMBA_PRIVATE_LIBS -l:lib$evl_lib-samba4.so.0"
	done
	SAMBA_PRIVATE_LIBS="-L$SAMBA_PRIVATE_DIR -Wl,-rpath,$SAMBA_PRIVATE_DIR $SAMBA_PRIVATE_LIBS"
	AC_SUBST([SAMBA_PRIVATE_LIBS])
	dnl The client side: libdcerpc, and what collect/samba.h declares.
	SAMBA_CLIENT_LIBS="-L$SAMBA_PRIVATE_DIR -Wl,-rpath,$SAMBA_PRIVATE_DIR"
	for evl_lib in samba-sockets samba-debug; do
		SAMBA_CLIENT_LIBS="$SAMBA_CLIENT_LIBS -l:lib$evl_lib-samba4.so.0"
	done
	SAMBA_CLIENT_LIBS="$SAMBA_CLIENT_LIBS -lsamba-errors -ltevent-util $SAMBA_LIBS"
	AC_SUBST([SAMBA_CLIENT_LIBS])

	EVL_SAMBA_SYMBOL([dcesrv_init_context], [dcerpc-server-core])
	EVL_SAMBA_SYMBOL([dcesrv_auth_gensec_prepare], [RPC-SERVER-LOOP])
	EVL_SAMBA_SYMBOL([dcesrv_assoc_group_find], [RPC-SERVER-LOOP])
	EVL_SAMBA_SYMBOL([make_session_info_anonymous], [auth])
	EVL_SAMBA_SYMBOL([init_guest_session_info], [auth])
	EVL_SAMBA_SYMBOL([init_system_session_info], [auth])
	EVL_SAMBA_SYMBOL([secrets_init], [secrets3])
	EVL_SAMBA_SYMBOL([secrets_fetch_domain_sid], [secrets3])
	EVL_SAMBA_SYMBOL([secrets_store_domain_sid], [secrets3])
	EVL_SAMBA_SYMBOL([get_global_sam_sid], [secrets3])
	EVL_SAMBA_SYMBOL([become_root], [smbd-shim])
	EVL_SAMBA_SYMBOL([gensec_init], [gensec])
	EVL_SAMBA_SYMBOL([gensec_final_auth_type], [gensec])
	EVL_SAMBA_SYMBOL([lp_load_global], [smbconf])
	EVL_SAMBA_SYMBOL([global_event_context], [smbconf])
	EVL_SAMBA_SYMBOL([global_messaging_context], [smbconf])
	EVL_SAMBA_SYMBOL([loadparm_s3_helpers], [smbconf])
	EVL_SAMBA_SYMBOL([lp_netbios_name], [smbconf])
	EVL_SAMBA_SYMBOL([lp_workgroup], [smbconf])
	EVL_SAMBA_SYMBOL([lp_server_role], [smbconf])
	EVL_SAMBA_SYMBOL([loadparm_init_s3], [samba-hostconfig])
	EVL_SAMBA_SYMBOL([set_dyn_CONFIGFILE], [samba-util])
	EVL_SAMBA_SYMBOL([_talloc_stackframe], [samba-util])
	EVL_SAMBA_SYMBOL([memcache_set_global], [samba-util])
	EVL_SAMBA_SYMBOL([memcache_add], [samba-util])
	EVL_SAMBA_SYMBOL([setup_logging], [samba-debug])
	EVL_SAMBA_SYMBOL([_tstream_context_create], [samba-sockets])
	EVL_SAMBA_SYMBOL([_tstream_bsd_existing_socket], [samba-sockets])
	EVL_SAMBA_SYMBOL([dom_sid_parse], [samba-security])
	EVL_SAMBA_SYMBOL([dom_sid_equal], [samba-security])
	EVL_SAMBA_SYMBOL([add_sid_to_array_unique], [samba-security])
	EVL_SAMBA_SYMBOL([sddl_decode], [samba-security])
	EVL_SAMBA_SYMBOL([se_access_check], [samba-security])
	EVL_SAMBA_SYMBOL([security_session_user_level], [samba-security])
	EVL_SAMBA_SYMBOL([dcerpc_server_epmapper_init], [dcerpc-server])
	EVL_SAMBA_SYMBOL([composite_continue], [samba-sockets])
	EVL_SAMBA_SYMBOL([debug_set_callback], [samba-debug])
])
