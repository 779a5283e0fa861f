//! Connection ids in tables: whose a server id is, what is refused, and that a key is printed nowhere.

use ::quic::ServerId;
use wire::protocol;

use super::{blueprint, real_number, service, table};
use crate::{
    Blueprint, BuildError, Generation, QuicFault, QuicKey, QuicSpec, ServiceFault, ServiceNumber,
    ServiceSpec, build,
};

pub(super) fn id(bytes: &[u8]) -> ServerId {
    ServerId::new(bytes).unwrap()
}

pub(super) fn spec(rotation: u8, key: Option<u8>, servers: &[(&[u8], u32)]) -> QuicSpec {
    QuicSpec {
        rotation,
        server_id_bytes: servers.first().map_or(2, |(id, _)| u8::try_from(id.len()).unwrap()),
        nonce_bytes: 4,
        key: key.map(|byte| QuicKey([byte; 16])),
        tells_length: rotation == 1,
        servers: servers.iter().map(|(bytes, real)| (id(bytes), real_number(*real))).collect(),
    }
}

/// UDP with the configurations at these places, by rotation bits.
pub(super) fn with(mut service: ServiceSpec, places: &[(usize, u8)]) -> ServiceSpec {
    places.iter().for_each(|(rotation, place)| service.quic[*rotation] = Some(*place));
    service
}

fn plan() -> Blueprint {
    let mut plan = blueprint(&[100, 100, 100], 251);
    plan.quic = vec![
        spec(0, None, &[(&[0, 2], 1), (&[0, 1], 0)]),
        spec(1, Some(0x5a), &[(&[7, 7, 7], 2), (&[7, 7, 8], 1), (&[0, 0, 0], 2)]),
        spec(0, None, &[(&[9], 2)]),
        // As the first, but for its order; and one that no service knows.
        spec(0, None, &[(&[0, 1], 0), (&[0, 2], 1)]),
        spec(3, None, &[(&[1], 0)]),
    ];
    plan.services = vec![
        service(0, "198.51.100.10", protocol::UDP, (443, 443), 0),
        with(service(1, "198.51.100.11", protocol::UDP, (443, 443), 0), &[(0, 0), (1, 1)]),
        with(service(2, "198.51.100.12", protocol::UDP, (443, 443), 0), &[(0, 2)]),
        with(service(3, "198.51.100.13", protocol::UDP, (443, 443), 0), &[(0, 3)]),
    ];
    plan
}

#[test]
fn a_server_id_is_its_reals_and_only_under_its_configuration() {
    let table = table(&plan());
    let view = table.view();
    let of = |number: u32| view.services().find(|(_, entry)| entry.number().get() == number).unwrap().1;
    assert!(!of(0).is_quic() && of(1).is_quic());
    assert_eq!(of(0).quic(0), None);
    let (clear, keyed, other) = (of(1).quic(0).unwrap(), of(1).quic(1).unwrap(), of(2).quic(0).unwrap());
    assert_eq!(of(3).quic(0), Some(clear), "what says the same stands once");
    assert_eq!(view.quic_configs().count(), 3, "what no service knows is left out");
    assert_eq!((of(1).quic(2), of(1).quic(7), of(1).quic(8)), (None, None, None));
    assert_eq!(view.server(clear, &id(&[0, 1])), Some(real_number(0)));
    assert_eq!(view.server(clear, &id(&[0, 2])), Some(real_number(1)));
    assert_eq!(view.server(keyed, &id(&[7, 7, 8])), Some(real_number(1)));
    assert_eq!(view.server(keyed, &id(&[0, 0, 0])), Some(real_number(2)));
    assert_eq!(view.server(other, &id(&[9])), Some(real_number(2)));
    for (place, bytes) in
        [(clear, &[0, 3][..]), (clear, &[0]), (keyed, &[0, 1]), (other, &[9, 0]), (77, &[9])]
    {
        assert_eq!(view.server(place, &id(bytes)), None, "{place} {bytes:?}");
    }
    let lengths: Vec<usize> = view.quic_configs().map(|config| config.get().id_bytes()).collect();
    assert_eq!(lengths[usize::from(keyed)], 8);
}

#[test]
fn the_order_of_configurations_does_not_matter() {
    let mut turned = plan();
    turned.quic.reverse();
    for place in turned.services.iter_mut().flat_map(|service| service.quic.iter_mut().flatten()) {
        *place = 4 - *place;
    }
    let image = |plan: &Blueprint| build(plan, Generation::default()).unwrap().root;
    assert_eq!(image(&turned), image(&plan()));
}

#[test]
fn each_fault_of_connection_ids_is_named() {
    let refused = |change: &dyn Fn(&mut Blueprint)| {
        let mut plan = plan();
        change(&mut plan);
        build(&plan, Generation::default()).unwrap_err()
    };
    let at = |place, fault| BuildError::Quic(place, fault);
    assert_eq!(refused(&|p| p.quic[4].rotation = 7), at(4, QuicFault::Rotation));
    assert!(matches!(refused(&|p| p.quic[1].nonce_bytes = 17), BuildError::Quic(1, QuicFault::Lengths(_))));
    assert_eq!(refused(&|p| p.quic[0].server_id_bytes = 3), at(0, QuicFault::ServerId(real_number(1))));
    assert_eq!(refused(&|p| p.quic[0].servers[1].0 = id(&[0, 2])), at(0, QuicFault::Twice(real_number(0))));
    let stranger = real_number(77);
    assert_eq!(refused(&|p| p.quic[2].servers[0].1 = stranger), at(2, QuicFault::UnknownReal(stranger)));
    let many = |p: &mut Blueprint| {
        p.quic = (0..65).map(|i| spec(0, Some(i), &[(&[1], 0)])).collect();
        let address = |i: u8| format!("198.51.100.{i}");
        let service = |i: u8| service(u32::from(i), &address(i), protocol::UDP, (443, 443), 0);
        p.services = (0..65).map(|i| with(service(i), &[(0, i)])).collect();
    };
    assert_eq!(refused(&many), at(64, QuicFault::TooMany));
    let service = |number| BuildError::Service(ServiceNumber::new(number).unwrap(), ServiceFault::Quic);
    assert_eq!(refused(&|p| p.services[1].protocol = protocol::TCP), service(1));
    assert_eq!(refused(&|p| p.services[2].quic[0] = Some(9)), service(2));
    assert_eq!(refused(&|p| p.services[2].quic.swap(0, 2)), service(2));
}

#[test]
fn a_key_is_printed_nowhere() {
    let plan = plan();
    let built = build(&plan, Generation::default()).unwrap();
    let table = built.table().unwrap();
    let configs: Vec<_> = table.view().quic_configs().collect();
    let mut faulty = plan.clone();
    faulty.quic[1].nonce_bytes = 17;
    let fault = build(&faulty, Generation::default()).unwrap_err();
    assert!(built.root.windows(16).any(|bytes| bytes == [0x5a; 16]), "it is there");
    for told in [
        format!("{plan:?}"),
        format!("{built:?}"),
        format!("{table:?}"),
        format!("{:?}", table.view()),
        format!("{configs:?}"),
        format!("{fault:?} {fault}"),
    ] {
        assert!(!told.contains("5a5a") && !told.contains("90, 90"), "{told}");
    }
}
