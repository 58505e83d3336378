/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attribute types of SCEP (RFC 8894 3.2.1, RFC 8894 3.2.1.4.5) in dotted form. They are compared as
 * objects and never registered with OpenSSL, whose table outlives a reload of the module. For mdm_scep_*.c
 * only.
 */
#ifndef MDM_SCEP_OID_H
#define MDM_SCEP_OID_H

#define MDM_SCEP_OID_MESSAGE_TYPE "2.16.840.1.113733.1.9.2"
#define MDM_SCEP_OID_PKI_STATUS "2.16.840.1.113733.1.9.3"
#define MDM_SCEP_OID_FAIL_INFO "2.16.840.1.113733.1.9.4"
#define MDM_SCEP_OID_SENDER_NONCE "2.16.840.1.113733.1.9.5"
#define MDM_SCEP_OID_RECIPIENT_NONCE "2.16.840.1.113733.1.9.6"
#define MDM_SCEP_OID_TRANSACTION_ID "2.16.840.1.113733.1.9.7"
#define MDM_SCEP_OID_FAIL_INFO_TEXT "1.3.6.1.5.5.7.24.1"

#endif
