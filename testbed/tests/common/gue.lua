-- GUE, variant 0 (draft-ietf-intarea-gue-09 §3.1), for tshark, which has no dissector of its own: four bytes, then what
-- their second byte says, which tshark reads by itself. The version, the control bit, the length of extensions and the
-- flags are told; all of them are 0 in what is understood here.
local gue = Proto("gue", "Generic UDP Encapsulation")
local head = ProtoField.uint8("gue.head", "Variant, control and length", base.HEX)
local flags = ProtoField.uint16("gue.flags", "Flags", base.HEX)
gue.fields = { head, flags }

function gue.dissector(buffer, packet, tree)
    local branch = tree:add(gue, buffer(0, 4))
    branch:add(head, buffer(0, 1))
    branch:add(flags, buffer(2, 2))
    if buffer(0, 1):uint() == 0 and buffer(2, 2):uint() == 0 then
        DissectorTable.get("ip.proto"):try(buffer(1, 1):uint(), buffer(4):tvb(), packet, tree)
    end
end

DissectorTable.get("udp.port"):add(6080, gue)
