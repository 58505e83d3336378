# SPDX-License-Identifier: Apache-2.0
"""Over-the-air enrollment from the device's side (Apple's Profile Service): it tells what it is, signed by
the identity its maker put in, gets an identity over SCEP, tells it again signed by that one, and installs
what comes.

The maker's CAs are made here, shaped like Apple's: the device CA has an RSA key of 1024 bits, a SHA-1
signature, and expired in 2014. Every part of an answer can be made wrong, for tests of refusals."""

import datetime
import plistlib
import warnings

from cryptography import x509

from . import answers, cms, pki, profile, web

SIGNATURE_TYPE = "application/pkcs7-signature"
APPLE = "C=US, O=Apple Inc., OU=%s, CN=%s"


class Maker:
    """The CAs of a maker of devices: root, certification authority, device CA. file: the device CA as PEM."""

    def __init__(self, bits=1024, digest="sha1"):
        self.bits, self.digest = bits, digest
        self.root_key, self.middle_key, self.device_key = (pki.new_key(one) for one in (2048, 2048, bits))
        self.root = self._issue(APPLE % ("Apple Certification Authority", "Apple Root CA"), self.root_key,
                                None, self.root_key, years=(2006, 2035))
        self.middle = self._issue(
            APPLE % ("Apple Certification Authority", "Apple iPhone Certification Authority"),
            self.middle_key, self.root, self.root_key, years=(2007, 2022))
        self.device_ca = self._issue(APPLE % ("Apple iPhone", "Apple iPhone Device CA"), self.device_key,
                                     self.middle, self.middle_key, years=(2007, 2014))

    def _issue(self, subject, key, issuer, issuer_key, authority=True, years=(2007, 2014), digest=None):
        subject = pki.name(subject)
        builder = (x509.CertificateBuilder().subject_name(subject)
                   .issuer_name(issuer.subject if issuer else subject).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(datetime.datetime(years[0], 4, 16))
                   .not_valid_after(datetime.datetime(years[1], 4, 16))
                   .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True))
        with warnings.catch_warnings():
            # SHA-1 is what the real ones have
            warnings.simplefilter("ignore")
            return builder.sign(issuer_key, pki.DIGESTS[digest or self.digest]())

    def between(self, subject="O=Apple Inc., CN=Apple iPhone Device CA 2", authority=True):
        """A CA below the device CA (no CA when authority is False). Returns (certificate, key)."""
        key = pki.new_key(2048)
        return self._issue(subject, key, self.device_ca, self.device_key, authority), key

    def device(self, udid, key=None, issuer=None, digest=None, years=(2020, 2045)):
        """The identity of one device, by the device CA or by issuer, a pair of certificate and key."""
        issuer, issuer_key = issuer or (self.device_ca, self.device_key)
        key = key or pki.new_key(1024)
        return self._issue("O=Apple Inc., OU=iPhone, CN=" + udid, key, issuer, issuer_key, False, years,
                           digest), key

    def write(self, path):
        """Write the device CA as PEM, for MDMDeviceCAFile."""
        return pki.write_pem(path, self.device_ca)


class OverTheAir:
    """The enrollment of one device.

    phone: a Device. identity: certificate and key its maker put in. chain: further certificates it sends
    along, as iOS does. After begin(): url, wanted, challenge; after describe(): scep; after fetch_final():
    final, a Profile, opened with the identity that SCEP issued."""

    def __init__(self, phone, identity, chain=()):
        self.phone, self.identity, self.chain = phone, identity, list(chain)
        self.url = self.wanted = self.challenge = self.scep = self.final = None

    def begin(self, raw):
        """Phase 1: read the Profile Service payload. Returns its Profile."""
        found = profile.Profile(raw, self.phone.signer_ca_file or None)
        if found.service is None:
            raise profile.ProfileError("no Profile Service payload, but %r" % found.plist.get("PayloadType"))
        self.url, self.wanted = found.service["URL"], found.service["DeviceAttributes"]
        self.challenge = found.service.get("Challenge")
        return found

    def attributes(self):
        """Those of the attributes asked for that the device has."""
        phone = self.phone
        have = {"UDID": phone.udid, "VERSION": phone.build_version, "PRODUCT": phone.model,
                "SERIAL": phone.serial, "IMEI": phone.imei, "ICCID": phone.iccid,
                "MAC_ADDRESS_EN0": phone.mac, "DEVICE_NAME": phone.name, "MEID": getattr(phone, "meid", None)}
        return {name: have[name] for name in self.wanted if have.get(name)}

    def signed(self, attributes, identity, **options):
        """An answer; options as for cms.sign."""
        content = attributes if isinstance(attributes, bytes) else plistlib.dumps(attributes)
        certificate, key = identity
        options.setdefault("certificates", [certificate, *(self.chain if identity == self.identity else [])])
        return cms.sign(content, certificate, key, **options)

    def post(self, raw, content_type=SIGNATURE_TYPE):
        headers = {"Content-Type": content_type}
        return self.phone.plain_http.request("POST", self.url, raw, headers, redirects=0)

    def phase2(self, changes=None, identity=None, **options):
        """The first answer: attributes and challenge. changes: attributes to set, or (None) to leave out."""
        attributes = {**self.attributes(), **({"CHALLENGE": self.challenge} if self.challenge else {}),
                      **(changes or {})}
        return self.signed({name: value for name, value in attributes.items() if value is not None},
                           identity or self.identity, **options)

    def phase3(self, changes=None, identity=None, **options):
        """The second answer: attributes, signed by the identity that SCEP issued."""
        attributes = {**self.attributes(), **(changes or {})}
        return self.signed({name: value for name, value in attributes.items() if value is not None},
                           identity or (self.phone.certificate, self.phone.key), **options)

    def _profile(self, what, reply, identity=None):
        if not reply.ok:
            raise web.HttpError(what, reply)
        if reply.content_type != "application/x-apple-aspen-config":
            raise profile.ProfileError("%s came as %r" % (what, reply.content_type))
        found = profile.Profile(reply.body, self.phone.signer_ca_file or None, identity)
        if self.phone.signer_ca_file and not found.trusted:
            raise profile.ProfileError("%s is not signed by a trusted signer: %s" % (what, found.problem))
        return found

    def describe(self, changes=None, **options):
        """Phase 2. Returns the Profile with the SCEP payload."""
        self.scep = self._profile("answer to phase 2", self.post(self.phase2(changes, **options)))
        return self.scep

    def identify(self, **options):
        """SCEP, as the answer to phase 2 asks for it; options and Result as of Device.scep_enrol."""
        if self.scep.certificates and self.phone.ca_file is not False:
            self.phone.plain_http.trust("".join(pki.pem(one) for one in self.scep.certificates))
        return self.phone.scep_enrol(self.scep.scep, **options)

    def fetch_final(self, changes=None, **options):
        """Phase 3. Returns the final Profile."""
        identity = self.phone.certificate, self.phone.key
        self.final = self._profile("answer to phase 3", self.post(self.phase3(changes, **options)), identity)
        return self.final

    def install(self, **options):
        """Install the final profile: with MDM the device checks in, without it the payloads are only kept."""
        phone, found = self.phone, self.final
        if found.mdm is not None:
            phone.new_token()
            phone.install(found, **options)
        else:
            phone.profiles.put(found, managed=False)
            phone.state = "configured"
        return found

    def enroll(self, raw, keys=None):
        """Everything, from the first profile on. keys: a function that gives a key, for SCEP."""
        options = [{"key": keys()} if keys else {} for _ in range(2)]
        self.begin(raw)
        self.describe()
        self.identify(**options[0])
        self.fetch_final()
        return self.install(**(options[1] if self.final.mdm is not None else {}))
